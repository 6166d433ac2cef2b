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

/// Cosines from the store's own vectors: in 8 bits of all, in f32 of the best.
struct LocalNearness: NearnessSource {
    let refinedCount = 32
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
                let cosine = try row.withUnsafeData(atIndex: 1) { Self.dot(vector, $0) }
                guard let cosine else { continue }
                if side != .other { user = max(user ?? -1, cosine) }
                if side != .user { other = max(other ?? -1, cosine) }
            }
            scorer.refine(slot, user: user, other: other)
        }
    }

    /// The dot product with components as `blob(of:)` writes them; nil where the sizes differ.
    private static func dot(_ query: [Float], _ data: Data?) -> Float? {
        guard let data, data.count == query.count * 4 else { return nil }
        return data.withUnsafeBytes { bytes in
            var sum: Float = 0
            for index in query.indices {
                let bits = bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
                sum += query[index] * Float(bitPattern: UInt32(littleEndian: bits))
            }
            return sum
        }
    }
}
