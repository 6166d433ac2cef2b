import CircadiaConversation
import Foundation
import GRDB

/// What a copy knows of its collection, kept in the copy's table of properties.
///
/// Each exchange has the stamp of its arrival, and of its last edit: microseconds, but always above
/// every stamp that the writer knew of. A write that is under way may still bring a stamp below
/// one that was seen; none takes longer than a minute. So stamps are asked for again from
/// `settled` on: the highest that had been seen a minute before the last look.
struct ChromaCopyState {
    var collection: String?
    /// Records in the collection; nil where that has to be found out.
    var records: Int?
    /// The highest stamp seen.
    var newest: Int64 = 0
    var settled: Int64 = 0
    /// The highest stamp seen at `watchedSince`, seconds since 1970; settled a minute later.
    var watched: Int64 = 0
    var watchedSince: Double = 0

    static let settlingSeconds = 60.0

    mutating func look(at now: Double) {
        if now - watchedSince >= Self.settlingSeconds || now < watchedSince {
            settled = watched
            watched = newest
            watchedSince = now
        }
    }
}

extension ChromaStore {
    /// How old a look at the server may be before a search looks again.
    private static let freshSeconds = 1.0
    /// Exchanges that are fetched at once.
    private static let fetchedAtOnce = 500

    /// Brings the copy in step with the server.
    ///
    /// What arrived or was edited is found by its stamp. Whether anything was taken out, or was left
    /// half done by a program that was killed, shows in the number of records; then all ids are
    /// compared.
    ///
    /// - Parameter isPatient: whether a look of a moment ago is good enough.
    /// - Throws: as `search`.
    func synchronize(isPatient: Bool = false) throws {
        try session.use { session throws in
            let age = Date().timeIntervalSince(session.lastLook)
            if isPatient, (0..<Self.freshSeconds).contains(age) { return }
            guard let collection = try collection() else {
                let isKnown = try copy.chromaState().collection != nil
                if try isKnown ? true : copy.count() > 0 {
                    try copy.clear()
                    try copy.startAnew(of: nil)
                }
                session.lastLook = Date()
                return
            }
            if try copy.chromaState().collection != collection.id {
                // Another one of the same name: of the old one nothing must be left.
                try copy.clear()
                try copy.startAnew(of: collection.id)
            }
            try follow(collection)
            session.lastLook = Date()
        }
    }

    private func follow(_ collection: ChromaCollection) throws {
        let state = try copy.chromaState()
        let edits = try takeInEdits(of: collection, since: state.settled)
        guard let known = state.records else { return try compareAll(collection, edits.newest) }
        let added = try collection.get(
            where: .init(key: "arrival", comparison: .above(state.settled)))
        let count = try collection.count()
        let new = try copy.unknown(among: added.ids.compactMap(ChromaRecordID.init))
        let fetched = try fetch(new, of: collection)
        try copy.takeIn(fetched.map(\.exchange))
        let parts = fetched.reduce(0) { $0 + $1.head.parts }
        let newest = fetched.reduce(edits.newest) { max($0, $1.head.arrival) }
        if edits.changedParts || known + parts != count {
            return try compareAll(collection, newest)
        }
        try noteLook(newest: newest, records: count)
    }

    /// Gives the copy's exchanges the contents and tags that they got elsewhere.
    private func takeInEdits(
        of collection: ChromaCollection, since stamp: Int64
    ) throws -> (newest: Int64, changedParts: Bool) {
        if try copy.count() == 0 { return (0, false) }
        let edited = try collection.get(
            where: .init(key: "edited", comparison: .above(stamp)),
            include: ["metadatas", "documents"]
        ).heads
        var changedParts = false
        for (exchange, _) in edited {
            guard let there = try copy.exchange(id: exchange.id) else { continue }
            if there.contentHash != exchange.contentHash {
                changedParts = true
                try copy.takeIn([exchange])
            } else if there.tags != exchange.tags {
                try copy.setTags(exchange.tags, of: exchange.id)
            }
        }
        return (edited.reduce(0) { max($0, $1.head.edited ?? 0) }, changedParts)
    }

    private func noteLook(newest: Int64, records: Int) throws {
        try copy.changeChromaState { state in
            state.records = records
            state.newest = max(state.newest, newest)
            state.look(at: Date().timeIntervalSince1970)
        }
    }

    /// Compares all ids, whatever the stamps say.
    private func compareAll(
        _ collection: ChromaCollection, _ newestEdit: Int64
    ) throws {
        let ids = try collection.get().ids
        let heads = ids.compactMap(ChromaRecordID.init).filter { $0.part == 0 }
        let there = Set(heads.map(\.exchange))
        let gone = try copy.ids().filter { !there.contains($0) }
        if !gone.isEmpty { try copy.forget(ids: gone) }
        let fetched = try fetch(try copy.unknown(among: heads), of: collection)
        try copy.takeIn(fetched.map(\.exchange))
        let newest = fetched.reduce(newestEdit) {
            max($0, $1.head.arrival, $1.head.edited ?? 0)
        }
        try noteLook(newest: newest, records: ids.count)
    }

    /// Exchanges with these heads, in the order of their arrival.
    private func fetch(
        _ heads: [ChromaRecordID], of collection: ChromaCollection
    ) throws -> [(exchange: Exchange, head: ChromaMetadata.Head)] {
        var found: [(exchange: Exchange, head: ChromaMetadata.Head)] = []
        let step = min(Self.fetchedAtOnce, collection.maxBatchSize)
        for start in stride(from: 0, to: heads.count, by: step) {
            let some = heads[start..<min(start + step, heads.count)]
            found += try collection.get(
                ids: some.map(\.text), include: ["metadatas", "documents"]
            ).heads
        }
        return found.sorted {
            ($0.head.arrival, $0.exchange.id) < ($1.head.arrival, $1.exchange.id)
        }
    }
}

// MARK: What a copy keeps

extension RetrievalStore {
    /// The copy's notes about its collection.
    func chromaState() throws -> ChromaCopyState {
        try reading(Self.chromaState)
    }

    /// Changes the notes in one transaction.
    func changeChromaState(
        _ change: (inout ChromaCopyState) -> Void
    ) throws {
        try writing { database in
            var state = try Self.chromaState(database)
            change(&state)
            try Self.write(state, database)
        }
    }

    /// Forgets what was noted, for a collection that has not been looked at.
    func startAnew(of collection: String?) throws {
        try changeChromaState {
            $0 = ChromaCopyState()
            $0.collection = collection
        }
    }

    /// Makes the next look compare all ids.
    func forgetRecordCount() throws {
        try changeChromaState { $0.records = nil }
    }

    /// The first of `count` stamps that nobody has used.
    func nextStamp(count: Int) throws -> Int64 {
        var first: Int64 = 0
        try changeChromaState { state in
            first = max(Int64(Date().timeIntervalSince1970 * 1e6), state.newest + 1)
            state.newest = first + Int64(count) - 1
        }
        return first
    }

    /// The ids of all exchanges.
    func ids() throws -> [String] {
        try reading { database in
            try String.fetchAll(database, sql: "SELECT id FROM exchange ORDER BY number")
        }
    }

    /// Those heads whose exchanges are not here.
    func unknown(among heads: [ChromaRecordID]) throws -> [ChromaRecordID] {
        try reading { database in
            let statement = try database.cachedStatement(
                sql: "SELECT EXISTS (SELECT 1 FROM exchange WHERE id = ?)")
            return try heads.filter {
                try $0.part == 0 && Bool.fetchOne(statement, arguments: [$0.exchange]) != true
            }
        }
    }

    private static let statePrefix = "chroma."

    private static func chromaState(_ database: Database) throws -> ChromaCopyState {
        let rows = try Row.fetchAll(
            database, sql: "SELECT name, value FROM property WHERE name LIKE 'chroma.%'")
        var values: [String: String] = [:]
        for row in rows {
            let name: String = row[0]
            values[String(name.dropFirst(statePrefix.count))] = row[1]
        }
        return ChromaCopyState(
            collection: values["collection"], records: values["records"].flatMap { Int($0) },
            newest: values["newest"].flatMap { Int64($0) } ?? 0,
            settled: values["settled"].flatMap { Int64($0) } ?? 0,
            watched: values["watched"].flatMap { Int64($0) } ?? 0,
            watchedSince: values["watchedSince"].flatMap { Double($0) } ?? 0)
    }

    private static func write(_ state: ChromaCopyState, _ database: Database) throws {
        try database.execute(sql: "DELETE FROM property WHERE name LIKE 'chroma.%'")
        let values: [(String, String?)] = [
            ("collection", state.collection), ("records", state.records.map { "\($0)" }),
            ("newest", "\(state.newest)"), ("settled", "\(state.settled)"),
            ("watched", "\(state.watched)"), ("watchedSince", "\(state.watchedSince)"),
        ]
        for (name, value) in values {
            guard let value else { continue }
            try database.execute(
                sql: "INSERT INTO property VALUES (?, ?)", arguments: [statePrefix + name, value])
        }
    }
}
