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

    /// Exchanges of one row of the table `block`.
    static let blockSize: Int64 = 64

    /// Calls `body` with the index as the database has it now; one search at a time.
    func withContents<Value>(
        _ database: Database, width: Int, _ body: (IndexContents) throws -> Value
    ) throws -> Value {
        lock.lock()
        defer { lock.unlock() }
        try update(database, width: width)
        return try body(contents)
    }

    private func update(_ database: Database, width: Int) throws {
        let current =
            try String.fetchOne(
                database, sql: "SELECT value FROM property WHERE name = 'removals'") ?? ""
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
            database,
            sql: "SELECT block, columns, vectors FROM block WHERE block >= ? ORDER BY block",
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

/// The columns and vectors of all exchanges. A slot is an exchange's number less `base`.
final class IndexContents {
    /// Components of a vector.
    var width = 0
    /// The number of slot 0.
    private(set) var base: Int64 = 0
    /// Exchanges that are there, and the sum of their words.
    private(set) var count = 0
    private(set) var wordSum = 0.0
    /// The sum of the lengths that BM25 sees, neighbours included.
    private(set) var contextSum = 0.0

    // One entry a slot; slots without an exchange have session -1.
    private(set) var session = GrowingBuffer<Int32>()
    private(set) var previous = GrowingBuffer<Int32>()
    private(set) var next = GrowingBuffer<Int32>()
    private(set) var milliseconds = GrowingBuffer<Int64>()
    private(set) var userWords = GrowingBuffer<Float>()
    private(set) var otherWords = GrowingBuffer<Float>()
    private(set) var timeFlags = GrowingBuffer<UInt8>()

    // One entry a vector row.
    private(set) var components = GrowingBuffer<Int8>()
    private(set) var scales = GrowingBuffer<Float>()
    private(set) var rowSlot = GrowingBuffer<Int32>()
    private(set) var rowSide = GrowingBuffer<UInt8>()

    private var sessions: [UInt64: Int32] = [:]
    private var lastSlot = GrowingBuffer<Int32>()

    var slotCount: Int { session.count }
    var rowCount: Int { rowSlot.count }
    var sessionCount: Int { lastSlot.count }

    func start(at base: Int64, count: Int, vectorBytes: Int) {
        self.base = base
        session.reserve(count)
        previous.reserve(count)
        next.reserve(count)
        milliseconds.reserve(count)
        userWords.reserve(count)
        otherWords.reserve(count)
        timeFlags.reserve(count)
        let rows = width > 0 ? vectorBytes / (VectorRows.headerBytes + width) : 0
        components.reserve(rows * width)
        scales.reserve(rows)
        rowSlot.reserve(rows)
        rowSide.reserve(rows)
    }

    /// The slot of an exchange's number, where there is one.
    func slot(_ number: Int32) -> Int? { columns.slot(number) }

    /// The columns as they are now, for loops over all slots: valid until something is appended.
    var columns: Columns {
        Columns(
            base: base, slotCount: slotCount, session: .init(session.pointer),
            previous: .init(previous.pointer),
            next: .init(next.pointer), milliseconds: .init(milliseconds.pointer),
            userWords: .init(userWords.pointer),
            otherWords: .init(otherWords.pointer), timeFlags: .init(timeFlags.pointer),
            rowSlot: .init(rowSlot.pointer), rowSide: .init(rowSide.pointer))
    }

    /// `IndexContents` without the checks that an access to a class's variable makes each time.
    struct Columns {
        let base: Int64
        let slotCount: Int
        let session, previous, next: UnsafePointer<Int32>
        let milliseconds: UnsafePointer<Int64>
        let userWords, otherWords: UnsafePointer<Float>
        let timeFlags: UnsafePointer<UInt8>
        let rowSlot: UnsafePointer<Int32>
        let rowSide: UnsafePointer<UInt8>

        func slot(_ number: Int32) -> Int? {
            let slot = Int(Int64(number) - base)
            return slot >= 0 && slot < slotCount && session[slot] >= 0 ? slot : nil
        }
    }

    /// Takes in the exchanges of a block that are not there yet.
    func append(columns: UnsafeRawBufferPointer) {
        for offset in stride(
            from: 0, through: columns.count - IndexedExchange.byteCount,
            by: IndexedExchange.byteCount)
        {
            let exchange = IndexedExchange(bytes: columns, at: offset)
            let slot = Int(exchange.number - base)
            if slot < slotCount { continue }
            while slotCount < slot { appendSlot(session: -1, nil) }
            let sessionIndex = sessions[exchange.session] ?? Int32(sessions.count)
            if sessionIndex == Int32(sessions.count) {
                sessions[exchange.session] = sessionIndex
                lastSlot.append(-1)
            }
            appendSlot(session: sessionIndex, exchange)
            link(slot, after: lastSlot[Int(sessionIndex)])
            lastSlot[Int(sessionIndex)] = Int32(slot)
        }
    }

    private func appendSlot(session index: Int32, _ exchange: IndexedExchange?) {
        session.append(index)
        previous.append(-1)
        next.append(-1)
        milliseconds.append(exchange?.milliseconds ?? .min)
        userWords.append(Float(exchange?.userWords ?? 0))
        otherWords.append(Float(exchange?.otherWords ?? 0))
        let flags =
            (exchange?.userNamesTime == true ? 1 : 0) | (exchange?.otherNamesTime == true ? 2 : 0)
        timeFlags.append(UInt8(flags))
        guard exchange != nil else { return }
        count += 1
        wordSum += words(slotCount - 1)
        contextSum += words(slotCount - 1)
    }

    private func link(_ slot: Int, after earlier: Int32) {
        guard earlier >= 0 else { return }
        previous[slot] = earlier
        next[Int(earlier)] = Int32(slot)
        contextSum +=
            Double(LexicalWeights.previous) * words(Int(earlier))
            + Double(LexicalWeights.following) * words(slot)
    }

    private func words(_ slot: Int) -> Double { Double(userWords[slot] + otherWords[slot]) }

    func append(rows: UnsafeRawBufferPointer) {
        let stride = VectorRows.headerBytes + width
        guard width > 0, let start = rows.baseAddress else { return }
        for row in 0..<rows.count / stride {
            let bytes = start + row * stride
            let number = VectorRows.number(rows, row: row, stride: stride)
            rowSlot.append(Int32(truncatingIfNeeded: number - base))
            rowSide.append(bytes.load(fromByteOffset: 8, as: UInt8.self))
            let bits = bytes.loadUnaligned(fromByteOffset: 9, as: UInt32.self)
            scales.append(Float(bitPattern: UInt32(littleEndian: bits)))
            UnsafeMutableRawPointer(components.extend(by: width)).copyMemory(
                from: bytes + VectorRows.headerBytes, byteCount: width)
        }
    }

    func truncateRows(to rows: Int) {
        components.truncate(to: rows * width)
        scales.truncate(to: rows)
        rowSlot.truncate(to: rows)
        rowSide.truncate(to: rows)
    }
}
