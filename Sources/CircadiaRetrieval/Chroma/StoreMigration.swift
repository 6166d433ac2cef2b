import CircadiaConversation
import CircadiaKernels
import Foundation
import GRDB

/// Copies a store between this machine's database and a Chroma collection, vectors included.
///
/// The source stays as it is. What the target has is passed over, so a command that was killed, or
/// is repeated, does what is left; nothing is doubled.
package enum StoreMigration {
    /// What a migration did.
    package struct Report: Sendable, Hashable {
        /// Exchanges that the target did not have.
        package internal(set) var moved = 0
        /// Exchanges that it had.
        package internal(set) var alreadyThere = 0
        /// Exchanges that had no vectors and were embedded on their way.
        package internal(set) var embedded = 0
    }

    /// Exchanges that go together.
    private static let batchSize = 256

    /// Copies a database's exchanges into a collection.
    ///
    /// - Parameters:
    ///   - source: the database.
    ///   - target: the collection; its embedder embeds what has no vectors.
    ///   - progress: called after each batch; the migration stops when it returns false.
    /// - Returns: what was done.
    /// - Throws: `embedderMismatch` where the vectors of the two cannot be compared, and what the
    ///   stores throw.
    package static func run(
        from source: RetrievalStore, to target: ChromaStore,
        progress: (_ done: Int, _ total: Int) -> Bool = { _, _ in true }
    ) throws -> Report {
        try target.synchronize()
        let total = try source.count()
        let given = target.embedder.map(RetrievalStore.signature(of:))
        let signature = try source.statistics().embedder ?? given
        try check(
            signature, against: try target.embedderSignature(), path: target.address.description)
        var report = Report()
        var ingested = RetrievalStore.IngestReport()
        var last: Int64 = 0
        var done = 0
        while true {
            let batch = try source.embedded(after: last, limit: batchSize)
            guard let end = batch.last?.number else { return report }
            last = end
            done += batch.count
            let tags = Dictionary(
                uniqueKeysWithValues: batch.map { ($0.exchange.id, $0.exchange.tags) })
            var new: [EmbeddedExchange] = []
            let prepared = batch.map { PreparedExchange(stored: $0.exchange) }
            let wanted = Set(
                try target.copy.withoutKnown(prepared, into: &ingested).map(\.exchange.id))
            for row in batch where wanted.contains(row.exchange.id) {
                new.append(EmbeddedExchange(exchange: row.exchange, pieces: row.pieces))
            }
            let bare = new.indices.filter { new[$0].pieces.isEmpty }
            if !bare.isEmpty {
                guard let embedder = target.embedder else {
                    throw RetrievalError.embeddingFailed(
                        detail: "\(bare.count) exchanges have no vectors, and no model makes any")
                }
                try check(signature, against: given, path: target.address.description)
                let pieces = try RetrievalStore.pieces(
                    of: bare.map { new[$0].exchange }, by: embedder)
                for (index, pieces) in zip(bare, pieces) {
                    new[index] = EmbeddedExchange(exchange: new[index].exchange, pieces: pieces)
                }
            }
            if let signature {
                try target.put(new, embedder: signature, into: &ingested)
            }
            // The copy is in step since the first line: no request an exchange.
            try align(
                tags.filter { !wanted.contains($0.key) }, known: target.copy, in: target)
            report.moved += new.count
            report.embedded += bare.count
            report.alreadyThere += batch.count - new.count
            if !progress(done, total) { return report }
        }
    }

    /// Copies a collection's exchanges into a database, in the order in which they arrived.
    ///
    /// - Parameters:
    ///   - source: the collection.
    ///   - target: the database.
    ///   - progress: called after each batch; the migration stops when it returns false.
    /// - Returns: what was done.
    /// - Throws: as the other way.
    package static func run(
        from source: ChromaStore, to target: RetrievalStore,
        progress: (_ done: Int, _ total: Int) -> Bool = { _, _ in true }
    ) throws -> Report {
        let exchanges = try source.list(limit: nil, offset: 0)
        var report = Report()
        guard let collection = try source.collection(), !exchanges.isEmpty else { return report }
        let signature = try source.embedderSignature()
        try check(
            signature, against: try target.statistics().embedder, path: target.directory.path)
        for start in stride(from: 0, to: exchanges.count, by: batchSize) {
            let batch = exchanges[start..<min(start + batchSize, exchanges.count)]
            var written = RetrievalStore.IngestReport()
            let new = try target.withoutKnown(
                batch.map(PreparedExchange.init(stored:)), into: &written)
            let vectors = try collection.vectors(of: new.map(\.exchange.id))
            try target.write(
                new, new.map { vectors[$0.exchange.id] ?? [] }, embedder: signature,
                into: &written)
            let wanted = Set(new.map(\.exchange.id))
            try align(
                Dictionary(
                    batch.filter { !wanted.contains($0.id) }.map { ($0.id, $0.tags) },
                    uniquingKeysWith: { $1 }), known: target, in: target)
            report.moved += new.count
            report.alreadyThere += batch.count - new.count
            if !progress(start + batch.count, exchanges.count) { break }
        }
        return report
    }

    /// Vectors of two embedders cannot be compared.
    private static func check(
        _ given: String?, against stored: String?, path: String
    ) throws {
        if let given, let stored, given != stored {
            throw RetrievalError.embedderMismatch(path: path, stored: stored, given: given)
        }
    }

    /// Exchanges that were there may have other tags.
    private static func align(
        _ tags: [String: [String]], known: RetrievalStore, in target: any ExchangeStore
    ) throws {
        for (id, tags) in tags {
            if let there = try known.exchange(id: id), there.tags != tags {
                try target.setTags(tags, of: id)
            }
        }
    }
}

extension RetrievalStore {
    /// An exchange of the database with its number and what vectors it has.
    struct Numbered {
        let number: Int64
        let exchange: Exchange
        let pieces: [VectorPiece]
    }

    /// The exchanges after a number, in order.
    func embedded(after number: Int64, limit: Int) throws -> [Numbered] {
        try reading { database in
            let rows = try Row.fetchAll(
                database, sql: "SELECT * FROM exchange WHERE number > ? ORDER BY number LIMIT ?",
                arguments: [number, limit])
            return try rows.map { row in
                let pieces = try Row.fetchAll(
                    database,
                    sql: "SELECT side, components FROM vector WHERE number = ? ORDER BY part",
                    arguments: [row["number"] as Int64])
                return Numbered(
                    number: row["number"], exchange: try Self.exchange(row),
                    pieces: pieces.map {
                        (
                            VectorSide(rawValue: $0["side"]) ?? .whole,
                            StoredVector.vector(of: $0["components"])
                        )
                    })
            }
        }
    }
}

extension ChromaCollection {
    /// Exchanges whose vectors are fetched at once: each is some kilobytes of digits.
    private static let fetchedAtOnce = 64

    /// The vectors of exchanges, in the order of their parts.
    func vectors(of ids: [String]) throws -> [String: [VectorPiece]] {
        var pieces: [String: [(part: Int, piece: VectorPiece)]] = [:]
        for start in stride(from: 0, to: ids.count, by: Self.fetchedAtOnce) {
            let some = Array(ids[start..<min(start + Self.fetchedAtOnce, ids.count)])
            let records = try get(where: .exchange(in: some), include: ["embeddings"])
            for (text, vector) in zip(records.ids, records.embeddings ?? []) {
                guard let id = ChromaRecordID(text) else { continue }
                pieces[id.exchange, default: []].append((id.part, (id.side, vector)))
            }
        }
        return pieces.mapValues { $0.sorted { $0.part < $1.part }.map(\.piece) }
    }
}
