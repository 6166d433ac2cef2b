import Foundation
import GRDB

/// Where a search has the cosines of question and exchanges from.
protocol NearnessSource {
    /// Components of the vectors that the index has to have in memory; 0 for none.
    var width: Int { get }
    /// How many of the best are compared exactly, at least.
    var refinedCount: Int { get }
    /// Gives a scorer the cosines of all exchanges, about, or of the nearest.
    func score(_ scorer: QuestionScorer, _ database: Database) throws
    /// Gives it exact ones of these exchanges.
    func refine(_ scorer: QuestionScorer, _ slots: [Int], _ database: Database) throws
}

extension NearnessSource {
    var width: Int { 0 }
}

/// Cosines from the store's own vectors: of their signs or of 8 bits of all, of 16 bits of the best.
struct LocalNearness: NearnessSource {
    let refinedCount = 16
    private let vector: [Float]

    /// - Parameter vector: the question's, of length 1.
    init(vector: [Float]) { self.vector = vector }

    var width: Int { vector.count }

    func score(_ scorer: QuestionScorer, _ database: Database) { scorer.add(vector) }

    func refine(_ scorer: QuestionScorer, _ slots: [Int], _ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: "SELECT side, components FROM vector WHERE number = ?")
        for slot in slots {
            var user: Float?
            var other: Float?
            let rows = try Row.fetchCursor(
                statement, arguments: [Int64(slot) + scorer.index.base])
            while let row = try rows.next() {
                let side = VectorSide(rawValue: row[0])
                let cosine = try row.withUnsafeData(atIndex: 1) { data in
                    data.flatMap { StoredVector.dot(vector, $0) }
                }
                guard let cosine else { continue }
                if side != .other { user = max(user ?? -1, cosine) }
                if side != .user { other = max(other ?? -1, cosine) }
            }
            scorer.refine(slot, user: user, other: other)
        }
    }
}
