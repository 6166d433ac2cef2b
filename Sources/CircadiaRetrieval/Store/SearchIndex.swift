import Foundation
import GRDB

/// From which sizes on a search takes other ways; results are the same, or nearly.
package struct SearchLimits: Sendable {
    /// Vectors from which on their signs are compared first. Below, comparing them all in 8 bits takes
    /// a tenth of a millisecond.
    package var sketchedRows = 8192
    /// Exchanges from which on the index is kept in a file. Below, reading all blocks takes some
    /// milliseconds.
    package var cachedSlots = 4096

    /// The limits of every store but those of tests.
    package init() {}
}

/// What a search needs of every exchange, in memory and in step with the database.
///
/// The database has it in blocks of 64 exchanges. The first search maps what `SearchCache` has, or
/// reads all blocks; later ones read only what is new. After something was removed all is read again.
///
/// `@unchecked Sendable`: a lock guards all that changes.
final class SearchIndex: @unchecked Sendable {
    private let lock = NSLock()
    private var contents = IndexContents()
    private var source: SearchCache.Source?
    private var tailBlock: Int64 = -1
    private var tailRow = 0
    private var tailHash: UInt64 = 0
    /// What the last block was when it was read.
    private var tail: Tail?
    /// Exchanges that the file has.
    private var cachedSlots = 0
    private let directory: URL
    private let limits: SearchLimits

    /// Exchanges of one row of the table `block`.
    static let blockSize: Int64 = 64

    init(directory: URL, limits: SearchLimits) {
        self.directory = directory
        self.limits = limits
    }

    /// Calls `body` with the index as the database has it now; one search at a time.
    func withContents<Value>(
        _ database: Database, width: Int, _ body: (IndexContents) throws -> Value
    ) throws -> Value {
        lock.lock()
        defer { lock.unlock() }
        try update(database, width: width)
        contents.isSketched = contents.rowCount >= limits.sketchedRows
        return try body(contents)
    }

    /// Whether the file lacks an eighth of what there is, or is not there.
    var isCacheDue: Bool {
        lock.lock()
        defer { lock.unlock() }
        let lacking = contents.slotCount - cachedSlots
        return contents.slotCount >= limits.cachedSlots && lacking * 8 >= contents.slotCount
    }

    /// Writes the file; the caller holds the store's lock and began to read the database under it.
    func save(_ database: Database) throws {
        lock.lock()
        defer { lock.unlock() }
        try update(database, width: contents.width)
        guard let source else { return }
        SearchCache.save(
            SearchCache.Loaded(
                contents: contents, tailBlock: tailBlock, tailRow: tailRow, tailHash: tailHash),
            in: directory, source: source)
        // Tried once: where the file cannot be written the next search should not try again.
        cachedSlots = contents.slotCount
    }

    private func update(_ database: Database, width: Int) throws {
        let current = try Self.source(database, width: width)
        if current != source {
            source = current
            tail = nil
            try begin(database, current)
        }
        let newest = try Tail(database)
        if newest != nil && newest == tail { return }
        // Where reading fails on the way, the next search reads again.
        tail = nil
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
                data?.withUnsafeBytes {
                    contents.append(columns: $0)
                    tailHash = SearchCache.hash($0)
                }
            }
            try row.withUnsafeData(atIndex: 2) { data in
                data?.withUnsafeBytes { contents.append(rows: $0) }
            }
        }
        tail = newest
    }

    /// The last block of the database: nothing but it grows, and nothing else changes without a removal.
    private struct Tail: Equatable {
        let block: Int64
        /// Bytes of its columns and of its vectors.
        let columns, vectors: Int

        /// Nil where there is none.
        init?(_ database: Database) throws {
            guard
                let row = try Row.fetchOne(
                    database.cachedStatement(
                        sql: """
                            SELECT block, length(columns), length(vectors) FROM block
                            ORDER BY block DESC LIMIT 1
                            """))
            else { return nil }
            block = row[0]
            columns = row[1] ?? 0
            vectors = row[2] ?? 0
        }
    }

    private static func source(_ database: Database, width: Int) throws -> SearchCache.Source {
        var source = SearchCache.Source(identity: 0, removals: 0, width: width)
        let rows = try Row.fetchCursor(
            database.cachedStatement(
                sql: "SELECT name, value FROM property WHERE name IN ('identity', 'removals')"))
        while let row = try rows.next() {
            let name: String = row[0]
            let value: String = row[1]
            if name == "removals" {
                source.removals = Int64(value) ?? 0
            } else {
                source.identity = UInt64(value, radix: 16) ?? 0
            }
        }
        return source
    }

    /// Begins anew, with what the file has where it fits.
    private func begin(_ database: Database, _ source: SearchCache.Source) throws {
        if let loaded = SearchCache.load(in: directory, source: source),
            try Self.hasTail(loaded, database)
        {
            contents = loaded.contents
            (tailBlock, tailRow) = (loaded.tailBlock, loaded.tailRow)
            tailHash = loaded.tailHash
            cachedSlots = contents.slotCount
            return
        }
        contents = IndexContents()
        contents.width = source.width
        (tailBlock, tailRow, tailHash, cachedSlots) = (-1, 0, 0, 0)
        try reserve(database)
    }

    /// Whether the last exchanges of a file are the database's: it may be a copy of a database that
    /// went another way since.
    private static func hasTail(
        _ loaded: SearchCache.Loaded, _ database: Database
    ) throws -> Bool {
        let columns = try Data.fetchOne(
            database, sql: "SELECT columns FROM block WHERE block = ?",
            arguments: [loaded.tailBlock])
        guard let columns else { return false }
        let end = loaded.contents.base + Int64(loaded.contents.slotCount)
        // The block may have grown since; its first exchanges are those that the file has.
        return columns.withUnsafeBytes { bytes in
            var count = 0
            while count + IndexedExchange.byteCount <= bytes.count,
                IndexedExchange(bytes: bytes, at: count).number < end
            { count += IndexedExchange.byteCount }
            return SearchCache.hash(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
                == loaded.tailHash
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
