import Foundation
import GRDB

/// What a search needs of every exchange, in memory and in step with the database.
///
/// The database has it in blocks of 64 exchanges. The first search reads them all, later ones only
/// those that are new; after something was removed all are read again.
final class SearchIndex: @unchecked Sendable {
    private let lock = NSLock()
    private var contents = IndexContents()
    private var removals = ""
    private var tailBlock: Int64 = -1
    private var tailRow = 0
    /// Vectors from which on their signs are compared first.
    private let sketchedRows: Int

    /// Exchanges of one row of the table `block`.
    static let blockSize: Int64 = 64
    /// Below so many vectors, comparing them all in 8 bits takes less than a tenth of a millisecond.
    static let sketchedRows = 8192

    init(sketchedRows: Int = SearchIndex.sketchedRows) { self.sketchedRows = sketchedRows }

    /// Calls `body` with the index as the database has it now; one search at a time.
    func withContents<Value>(
        _ database: Database, width: Int, _ body: (IndexContents) throws -> Value
    ) throws -> Value {
        lock.lock()
        defer { lock.unlock() }
        try update(database, width: width)
        contents.isSketched = contents.rowCount >= sketchedRows
        return try body(contents)
    }

    private func update(_ database: Database, width: Int) throws {
        let current =
            try String.fetchOne(
                database.cachedStatement(
                    sql: "SELECT value FROM property WHERE name = 'removals'")) ?? ""
        if current != removals || contents.width != width {
            contents = IndexContents()
            contents.width = width
            tailBlock = -1
            tailRow = 0
            removals = current
            try reserve(database)
        }
        // The last block may have grown; its columns are known, its rows are read again.
        contents.truncateRows(to: tailRow)
        let blocks = try Row.fetchCursor(
            database.cachedStatement(
                sql:
                    "SELECT block, columns, vectors FROM block WHERE block >= ? ORDER BY block"),
            arguments: [tailBlock])
        while let row = try blocks.next() {
            tailBlock = row[0]
            tailRow = contents.rowCount
            try row.withUnsafeData(atIndex: 1) { data in
                data?.withUnsafeBytes { contents.append(columns: $0) }
            }
            try row.withUnsafeData(atIndex: 2) { data in
                data?.withUnsafeBytes { contents.append(rows: $0) }
            }
        }
    }

    private func reserve(_ database: Database) throws {
        let row = try Row.fetchOne(
            database,
            sql: """
                SELECT min(block) AS first, max(block) AS last, sum(length(vectors)) AS bytes
                FROM block
                """)
        let first: Int64 = row?["first"] ?? 0
        let last: Int64 = row?["last"] ?? 0
        contents.start(
            at: first * Self.blockSize, count: Int((last - first + 1) * Self.blockSize),
            vectorBytes: row?["bytes"] ?? 0)
    }
}
