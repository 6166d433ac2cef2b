import Foundation
import GRDB

extension ChromaStore {
    /// Finds the exchanges that fit a question best: as `RetrievalStore.search` does, with cosines
    /// from the server.
    ///
    /// - Parameters:
    ///   - query: any text.
    ///   - limit: at most so many.
    ///   - now: when the question is asked; the newest exchange's time where nil.
    /// - Returns: the exchanges, best first.
    /// - Throws: `queryEmpty`, `embeddingFailed`, `chromaUnreachable`, `chromaRefused` and its kin,
    ///   and what the copy throws.
    package func search(
        _ query: String, limit: Int, now: Date?
    ) throws -> [Memory] {
        try synchronize(isPatient: true)
        return try copy.search(query, limit: limit, now: now) { asked throws in
            guard let embedder, let collection = try collection() else { return nil }
            let vector = try RetrievalStore.vector(ofQuestion: asked, by: embedder)
            return try ChromaNearness(vector: vector, collection: collection)
        }
    }
}

/// Cosines from the server: first of the records nearest to the question, then of whatever else the
/// best exchanges and their neighbours need.
struct ChromaNearness: NearnessSource {
    /// Records that are asked for first. All others are farther from the question than these.
    private static let nearestCount = 1024

    /// Words and times alone bring exchanges up too, whose cosines are not known yet; so more than
    /// a few are looked at.
    let refinedCount = 64

    private let vector: [Float]
    private let collection: ChromaCollection
    private let nearest: [String: Cosines]

    private struct Cosines {
        var user: Float?
        var other: Float?

        mutating func add(_ near: ChromaCollection.Near) {
            if near.id.side != .other { user = max(user ?? -1, near.cosine) }
            if near.id.side != .user { other = max(other ?? -1, near.cosine) }
        }

        /// Whether nothing of the exchange can be nearer.
        var isComplete: Bool { user != nil && other != nil }
    }

    init(vector: [Float], collection: ChromaCollection) throws {
        self.vector = vector
        self.collection = collection
        nearest = Self.grouped(
            try collection.nearest(to: vector, count: Self.nearestCount))
    }

    private static func grouped(_ records: [ChromaCollection.Near]) -> [String: Cosines] {
        var cosines: [String: Cosines] = [:]
        for record in records { cosines[record.id.exchange, default: Cosines()].add(record) }
        return cosines
    }

    func score(_ scorer: QuestionScorer, _ database: Database) throws {
        try give(nearest, to: scorer, database)
    }

    func refine(_ scorer: QuestionScorer, _ slots: [Int], _ database: Database) throws {
        let columns = scorer.columns
        let around = slots.flatMap { [columns.around($0).previous, $0, columns.around($0).next] }
        let statement = try database.cachedStatement(
            sql: "SELECT id FROM exchange WHERE number = ?")
        var unknown: [String] = []
        for slot in Set(around).sorted() where slot >= 0 {
            let number = Int64(slot) + scorer.index.base
            guard let id = try String.fetchOne(statement, arguments: [number]) else { continue }
            if nearest[id]?.isComplete != true { unknown.append(id) }
        }
        if unknown.isEmpty { return }
        // Every record of these: a long exchange has many, and the server gives what there is.
        let records = try collection.nearest(
            to: vector, count: 64 * unknown.count, where: .exchange(in: unknown))
        try give(Self.grouped(records), to: scorer, database)
    }

    private func give(
        _ cosines: [String: Cosines], to scorer: QuestionScorer, _ database: Database
    ) throws {
        let statement = try database.cachedStatement(
            sql: "SELECT number FROM exchange WHERE id = ?")
        for (id, cosine) in cosines {
            guard let number = try Int32.fetchOne(statement, arguments: [id]),
                let slot = scorer.index.slot(number)
            else { continue }
            scorer.refine(slot, user: cosine.user, other: cosine.other)
        }
    }
}
