import CircadiaConversation
import Foundation
import GRDB

extension RetrievalStore {
    /// Numbers about a store.
    package struct Statistics: Sendable, Hashable, Codable {
        /// Exchanges in it.
        package let exchanges: Int
        /// Conversations they belong to.
        package let sessions: Int
        /// Vectors: one an exchange, more for long ones.
        package let vectors: Int
        /// The embedder of the vectors.
        package let embedder: String?
        /// The time of the oldest exchange.
        package let oldest: Date?
        /// The time of the newest exchange.
        package let newest: Date?
        /// Bytes of the database and its side files.
        package let byteCount: Int
    }

    /// How many exchanges there are.
    ///
    /// - Throws: `storeFailed` and its kin.
    package func count() throws -> Int {
        try reading { database in
            try Int.fetchOne(database, sql: "SELECT count(*) FROM exchange") ?? 0
        }
    }

    /// Numbers about the store.
    ///
    /// - Throws: `storeFailed` and its kin.
    package func statistics() throws -> Statistics {
        let file = Self.databaseFile(in: directory).path
        let files =
            ["", "-wal", "-shm"].map { file + $0 } + [SearchCache.file(in: directory).path]
        let byteCount = files.reduce(0) { total, path in
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            return total + ((attributes?[.size] as? NSNumber)?.intValue ?? 0)
        }
        return try reading { database in
            let row = try Row.fetchOne(
                database,
                sql: """
                    SELECT count(*) AS exchanges, count(DISTINCT session) AS sessions,
                        (SELECT count(*) FROM vector) AS vectors,
                        (SELECT value FROM property WHERE name = 'embedder') AS embedder,
                        min(milliseconds) AS oldest, max(milliseconds) AS newest FROM exchange
                    """)
            return Statistics(
                exchanges: row?["exchanges"] ?? 0, sessions: row?["sessions"] ?? 0,
                vectors: row?["vectors"] ?? 0, embedder: row?["embedder"],
                oldest: Self.date(row?["oldest"]), newest: Self.date(row?["newest"]),
                byteCount: byteCount)
        }
    }

    /// The exchanges, oldest arrivals first.
    ///
    /// - Parameters:
    ///   - limit: at most so many; all where nil.
    ///   - offset: how many to pass over first.
    /// - Returns: the exchanges as they were ingested.
    /// - Throws: `storeFailed` and its kin.
    package func list(limit: Int? = nil, offset: Int = 0) throws -> [Exchange] {
        try reading { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM exchange ORDER BY number LIMIT ? OFFSET ?",
                arguments: [limit ?? -1, offset]
            ).map(Self.exchange)
        }
    }

    /// The exchange with an id, if it is there.
    ///
    /// - Parameter id: the exchange's id.
    /// - Returns: the exchange as it was ingested.
    /// - Throws: `storeFailed` and its kin.
    package func exchange(id: String) throws -> Exchange? {
        try reading { database in
            try Row.fetchOne(database, sql: "SELECT * FROM exchange WHERE id = ?", arguments: [id])
                .map(Self.exchange)
        }
    }

    /// Takes exchanges out of the store, with their words and vectors.
    ///
    /// - Parameter ids: the exchanges' ids; unknown ones are passed over.
    /// - Returns: how many were taken out.
    /// - Throws: `storeFailed` and its kin.
    @discardableResult
    package func remove(ids: [String]) throws -> Int {
        try removing { () throws in
            try writing { database in
                try ids.count { try Self.remove(id: $0, database) }
            }
        }
    }

    /// Takes everything out and gives the space back. The embedder may be another one afterwards.
    ///
    /// - Returns: how many exchanges were taken out.
    /// - Throws: `storeFailed` and its kin.
    @discardableResult
    package func clear() throws -> Int {
        let count: Int = try removing { () throws in
            try writing { database in try Self.empty(database) }
        }
        // What was said must be gone from the file too, not only from its tables.
        try Self.compact(self)
        return count
    }

    private static func empty(_ database: Database) throws -> Int {
        let count = try Int.fetchOne(database, sql: "SELECT count(*) FROM exchange") ?? 0
        try database.execute(
            sql: """
                DELETE FROM vector;
                DELETE FROM exchange;
                DELETE FROM posting;
                DELETE FROM block;
                INSERT INTO searchText(searchText) VALUES ('delete-all');
                DELETE FROM property WHERE name = 'embedder';
                DELETE FROM sqlite_sequence WHERE name = 'exchange';
                """)
        try Self.countRemoval(database)
        return count
    }

    /// Removes one exchange with all that is derived from it.
    static func remove(id: String, _ database: Database) throws -> Bool {
        guard
            let row = try Row.fetchOne(
                database, sql: "SELECT * FROM exchange WHERE id = ?", arguments: [id])
        else { return false }
        let number: Int64 = row["number"]
        let transcript: String = row["transcript"]
        let bytes =
            try Int.fetchOne(
                database, sql: "SELECT length(components) FROM vector WHERE number = ?",
                arguments: [number]) ?? 0
        try IndexWriter.remove(
            try exchange(row), number: number, width: StoredVector.width(ofBytes: bytes), database)
        // A table that takes its text from another one has to be told what to forget.
        try database.execute(
            sql: "INSERT INTO searchText(searchText, rowid, transcript) VALUES ('delete', ?, ?)",
            arguments: [number, transcript])
        try database.execute(sql: "DELETE FROM vector WHERE number = ?", arguments: [number])
        try database.execute(sql: "DELETE FROM exchange WHERE number = ?", arguments: [number])
        try countRemoval(database)
        return true
    }

    /// Tells every reader that what it holds in memory is no longer right.
    static func countRemoval(_ database: Database) throws {
        try database.execute(
            sql: "UPDATE property SET value = value + 1 WHERE name = 'removals'")
    }

    static func date(_ milliseconds: Int64?) -> Date? {
        milliseconds.map { Date(timeIntervalSince1970: Double($0) / 1000) }
    }

    /// Since 1970, as the tables have it.
    static func milliseconds(_ date: Date?) -> Int64? {
        date.map { Int64(($0.timeIntervalSince1970 * 1000).rounded()) }
    }

    static func exchange(_ row: Row) throws -> Exchange {
        let messages: String = row["messages"]
        return Exchange(
            id: row["id"], timestamp: date(row["milliseconds"]), session: row["session"],
            messages: try JSONDecoder().decode([ChatMessage].self, from: Data(messages.utf8)),
            model: row["model"], adapter: row["adapter"],
            tags: try tags(row["tags"]))
    }

    static func tags(_ json: String) throws -> [String] {
        json == "[]" ? [] : try JSONDecoder().decode([String].self, from: Data(json.utf8))
    }

    private static func compact(_ store: RetrievalStore) throws {
        try store.outsideTransaction { database in
            try database.execute(sql: "VACUUM")
            try database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
        }
    }
}
