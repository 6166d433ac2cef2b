import CircadiaKernels
import Foundation
import GRDB

/// The vectors of a store in memory, row after row, kept in step with the database.
///
/// Loaded at the first search and then only added to, until something is removed.
final class VectorTable: Sendable {
    /// What a search reads: it stays as it is while others load more.
    struct Snapshot: Sendable {
        /// Components of a row.
        var width = 0
        /// All rows, one after another.
        var components: [Float] = []
        /// The exchange of each row, ascending; a long exchange has several rows.
        var numbers: [Int64] = []
        /// The rows of each exchange's neighbours in its session, or -1.
        var previousRow: [Int32] = []
        var nextRow: [Int32] = []
        /// The length of the sum of a row and its neighbours' rows.
        var neighbourhoodLength: [Float] = []
        /// What the database counted when this was read.
        var removals = ""
    }

    private final class State: @unchecked Sendable {
        let lock = NSLock()
        var snapshot = Snapshot()
    }

    private let state = State()

    /// The vectors as the database has them now.
    func snapshot(_ database: Database, width: Int) throws -> Snapshot {
        let removals =
            try String.fetchOne(
                database, sql: "SELECT value FROM property WHERE name = 'removals'") ?? ""
        let newest = try Int64.fetchOne(database, sql: "SELECT max(number) FROM vector") ?? -1
        state.lock.lock()
        defer { state.lock.unlock() }
        var snapshot = state.snapshot
        // Moved out, so that adding rows does not copy the table.
        state.snapshot = Snapshot()
        defer { state.snapshot = snapshot }
        if snapshot.removals != removals || snapshot.width != width {
            snapshot = Snapshot()
            snapshot.width = width
            snapshot.removals = removals
        }
        if newest > (snapshot.numbers.last ?? -1) { try load(into: &snapshot, database) }
        return snapshot
    }

    private func load(into snapshot: inout Snapshot, _ database: Database) throws {
        let width = snapshot.width
        let after = snapshot.numbers.last ?? -1
        let firstNew = snapshot.numbers.count
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT vector.number, components,
                    (SELECT max(number) FROM exchange AS other
                     WHERE other.session IS exchange.session
                     AND other.number < exchange.number) AS previous
                FROM vector JOIN exchange ON exchange.number = vector.number
                WHERE vector.number > ? ORDER BY vector.number, part
                """, arguments: [after])
        var firstRow: [Int64: Int32] = [:]
        for (row, number) in snapshot.numbers.enumerated() where firstRow[number] == nil {
            firstRow[number] = Int32(row)
        }
        while let row = try rows.next() {
            let isWhole: Bool = try row.withUnsafeData(named: "components") { data in
                guard let data, data.count == width * 4 else { return false }
                data.withUnsafeBytes { bytes in
                    for index in 0..<width {
                        let bits = bytes.loadUnaligned(
                            fromByteOffset: index * 4, as: UInt32.self)
                        snapshot.components.append(Float(bitPattern: UInt32(littleEndian: bits)))
                    }
                }
                return true
            }
            guard isWhole else { continue }
            let number: Int64 = row["number"]
            let position = Int32(snapshot.numbers.count)
            snapshot.numbers.append(number)
            let previous: Int64? = row["previous"]
            let previousRow = previous.flatMap { firstRow[$0] } ?? -1
            snapshot.previousRow.append(previousRow)
            snapshot.nextRow.append(-1)
            if firstRow[number] == nil {
                firstRow[number] = position
                if previousRow >= 0 { snapshot.nextRow[Int(previousRow)] = position }
            }
        }
        measure(&snapshot, firstNew: firstNew)
    }

    /// Lengths of the neighbourhoods of new rows and of those that got a new neighbour.
    private func measure(_ snapshot: inout Snapshot, firstNew: Int) {
        let width = snapshot.width
        let count = snapshot.numbers.count
        snapshot.neighbourhoodLength += [Float](repeating: 1, count: count - firstNew)
        var rows = IndexSet(integersIn: firstNew..<max(firstNew, count))
        for row in firstNew..<max(firstNew, count) where snapshot.previousRow[row] >= 0 {
            rows.insert(Int(snapshot.previousRow[row]))
        }
        var sum = [Float](repeating: 0, count: width)
        for row in rows {
            let members = [Int32(row), snapshot.previousRow[row], snapshot.nextRow[row]]
                .filter { $0 >= 0 }.map(Int.init)
            for index in 0..<width {
                sum[index] = 0
                for member in members { sum[index] += snapshot.components[member * width + index] }
            }
            var square: Float = 0
            for value in sum { square += value * value }
            snapshot.neighbourhoodLength[row] = max(square.squareRoot(), 1e-6)
        }
    }

    /// The components as little-endian f32.
    static func blob(of vector: [Float]) -> Data {
        var data = Data(capacity: vector.count * 4)
        for value in vector {
            withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
        }
        return data
    }
}

extension VectorTable.Snapshot {
    /// The cosine of a question with each exchange, and with its neighbourhood.
    struct Nearness {
        var own: Float
        var neighbourhood: Float
    }

    /// Compares a vector of length 1 with every row; a long exchange counts by its best row.
    func nearness(to query: [Float]) -> [Int64: Nearness] {
        guard !numbers.isEmpty, query.count == width else { return [:] }
        var scores = [Float](repeating: 0, count: numbers.count)
        components.withUnsafeBufferPointer { rows in
            query.withUnsafeBufferPointer { query in
                scores.withUnsafeMutableBufferPointer { scores in
                    if let rows = rows.baseAddress, let query = query.baseAddress,
                        let scores = scores.baseAddress
                    {
                        Kernels.dotRows(
                            vectors: rows, query: query, count: numbers.count, width: width,
                            scores: scores)
                    }
                }
            }
        }
        var result: [Int64: Nearness] = [:]
        result.reserveCapacity(numbers.count)
        for row in 0..<numbers.count {
            var around = scores[row]
            if previousRow[row] >= 0 { around += scores[Int(previousRow[row])] }
            if nextRow[row] >= 0 { around += scores[Int(nextRow[row])] }
            let new = Nearness(own: scores[row], neighbourhood: around / neighbourhoodLength[row])
            if let known = result[numbers[row]], known.own >= new.own { continue }
            result[numbers[row]] = new
        }
        return result
    }
}
