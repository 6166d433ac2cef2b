/// One exchange of the index, in 32 bytes; a slot without an exchange has session -1.
struct IndexedSlot: BitwiseCopyable {
    var milliseconds: Int64 = .min
    var session: Int32 = -1
    /// The slots before and after in its session; -1 for none.
    var previous: Int32 = -1
    var next: Int32 = -1
    /// Its words as BM25 counts them, the neighbours' included.
    var contextWords: Float = 0
    var userWords: UInt16 = 0
    var otherWords: UInt16 = 0
    /// 1: the user names a time; 2: the others do.
    var timeFlags: UInt8 = 0

    var words: Float { Float(userWords) + Float(otherWords) }
}

/// The columns and vectors of all exchanges. A slot is an exchange's number less `base`.
final class IndexContents {
    /// Components of a vector.
    var width = 0
    /// Whether signs are compared before vectors.
    var isSketched = false
    /// The number of slot 0.
    private(set) var base: Int64 = 0
    /// Exchanges that are there, and the sum of their words.
    private(set) var count = 0
    private(set) var wordSum = 0.0
    /// The sum of the lengths that BM25 sees, neighbours included.
    private(set) var contextSum = 0.0

    private(set) var slots = GrowingBuffer<IndexedSlot>()
    /// The first vector row of each slot; the others follow it. -1 for none.
    private(set) var firstRow = GrowingBuffer<Int32>()

    // One entry a vector row.
    private(set) var components = GrowingBuffer<Int8>()
    private(set) var scales = GrowingBuffer<Float>()
    private(set) var rowSlot = GrowingBuffer<Int32>()
    private(set) var rowSide = GrowingBuffer<UInt8>()
    private(set) var sketch = SignSketch()

    /// The hash of each session, and its last slot.
    private var sessionHash = GrowingBuffer<UInt64>()
    private var lastSlot = GrowingBuffer<Int32>()
    private var sessions: [UInt64: Int32] = [:]

    /// What a search writes, kept from search to search.
    let scratch = SearchScratch()

    var slotCount: Int { slots.count }
    var rowCount: Int { rowSlot.count }
    var sessionCount: Int { lastSlot.count }

    init() {}

    func start(at base: Int64, count: Int, vectorBytes: Int) {
        self.base = base
        slots.reserve(count)
        firstRow.reserve(count)
        let rows = width > 0 ? vectorBytes / (VectorRows.headerBytes + width) : 0
        components.reserve(rows * width)
        scales.reserve(rows)
        rowSlot.reserve(rows)
        rowSide.reserve(rows)
        sketch.reserve(rows, width: width)
    }

    /// The slot of an exchange's number, where there is one.
    func slot(_ number: Int32) -> Int? { columns.slot(number) }

    /// The session of a slot.
    func session(_ slot: Int) -> Int { Int(slots[slot].session) }

    /// The columns as they are now, for loops over all slots: valid until something is appended.
    var columns: Columns {
        Columns(
            base: base, slotCount: slotCount, rowCount: rowCount, slots: .init(slots.pointer),
            firstRow: .init(firstRow.pointer), rowSlot: .init(rowSlot.pointer),
            rowSide: .init(rowSide.pointer))
    }

    /// `IndexContents` without the checks that an access to a class's variable makes each time.
    struct Columns {
        let base: Int64
        let slotCount, rowCount: Int
        let slots: UnsafePointer<IndexedSlot>
        let firstRow, rowSlot: UnsafePointer<Int32>
        let rowSide: UnsafePointer<UInt8>

        func slot(_ number: Int32) -> Int? {
            let slot = Int(Int64(number) - base)
            return slot >= 0 && slot < slotCount && slots[slot].session >= 0 ? slot : nil
        }

        /// The vector rows of a slot.
        func rows(_ slot: Int) -> Range<Int> {
            let first = Int(firstRow[slot])
            if first < 0 { return 0..<0 }
            var end = first
            while end < rowCount && rowSlot[end] == slot { end += 1 }
            return first..<end
        }

        /// A slot and its neighbours, where there are some.
        func around(_ slot: Int) -> (previous: Int, next: Int) {
            (Int(slots[slot].previous), Int(slots[slot].next))
        }
    }

    /// Takes in the exchanges of a block that are not there yet.
    func append(columns: UnsafeRawBufferPointer) {
        if sessions.isEmpty {
            // A mapped index has them in its buffer only.
            for session in 0..<sessionHash.count {
                sessions[sessionHash[session]] = Int32(session)
            }
        }
        for offset in stride(
            from: 0, through: columns.count - IndexedExchange.byteCount,
            by: IndexedExchange.byteCount)
        {
            let exchange = IndexedExchange(bytes: columns, at: offset)
            let slot = Int(exchange.number - base)
            if slot < slotCount { continue }
            while slotCount < slot { append(IndexedSlot()) }
            let sessionIndex = sessions[exchange.session] ?? Int32(sessions.count)
            if sessionIndex == Int32(sessions.count) {
                sessions[exchange.session] = sessionIndex
                sessionHash.append(exchange.session)
                lastSlot.append(-1)
            }
            var added = IndexedSlot()
            added.milliseconds = exchange.milliseconds
            added.session = sessionIndex
            added.userWords = exchange.userWords
            added.otherWords = exchange.otherWords
            added.timeFlags =
                (exchange.userNamesTime ? 1 : 0) | (exchange.otherNamesTime ? 2 : 0)
            added.contextWords = added.words
            append(added)
            count += 1
            wordSum += Double(added.words)
            contextSum += Double(added.words)
            link(slot, after: lastSlot[Int(sessionIndex)])
            lastSlot[Int(sessionIndex)] = Int32(slot)
        }
    }

    private func append(_ slot: IndexedSlot) {
        slots.append(slot)
        firstRow.append(-1)
    }

    private func link(_ slot: Int, after earlier: Int32) {
        guard earlier >= 0 else { return }
        let before = Int(earlier)
        let fromBefore = LexicalWeights.previous * slots[before].words
        let fromHere = LexicalWeights.following * slots[slot].words
        slots.pointer[slot].previous = earlier
        slots.pointer[slot].contextWords += fromBefore
        slots.pointer[before].next = Int32(slot)
        slots.pointer[before].contextWords += fromHere
        contextSum += Double(fromBefore) + Double(fromHere)
    }

    func append(rows: UnsafeRawBufferPointer) {
        let stride = VectorRows.headerBytes + width
        guard width > 0, let start = rows.baseAddress else { return }
        for row in 0..<rows.count / stride {
            let bytes = start + row * stride
            let number = VectorRows.number(rows, row: row, stride: stride)
            let slot = Int(number - base)
            if slot >= 0 && slot < slotCount {
                let before = rowCount > 0 ? Int(rowSlot[rowCount - 1]) : -1
                if before != slot { firstRow[slot] = Int32(rowCount) }
            }
            rowSlot.append(Int32(truncatingIfNeeded: slot))
            rowSide.append(bytes.load(fromByteOffset: 8, as: UInt8.self))
            let bits = bytes.loadUnaligned(fromByteOffset: 9, as: UInt32.self)
            let scale = Float(bitPattern: UInt32(littleEndian: bits))
            scales.append(scale)
            let added = components.extend(by: width)
            UnsafeMutableRawPointer(added).copyMemory(
                from: bytes + VectorRows.headerBytes, byteCount: width)
            sketch.append(added, scale: scale, width: width)
        }
    }

    func truncateRows(to rows: Int) {
        for row in min(rows, rowCount)..<rowCount {
            let slot = Int(rowSlot[row])
            if slot >= 0 && slot < slotCount { firstRow[slot] = -1 }
        }
        components.truncate(to: rows * width)
        scales.truncate(to: rows)
        rowSlot.truncate(to: rows)
        rowSide.truncate(to: rows)
        sketch.truncate(to: rows, width: width)
    }
}

/// An index in a file: what it counts, and its buffers one after the other.
extension IndexContents {
    /// The numbers that say how long the buffers are, and those that belong to all of them.
    struct Numbers: BitwiseCopyable {
        var base, count, slotCount, rowCount, sessionCount: Int64
        var wordSum, contextSum: Double

        /// The bytes of each buffer in the order of `sections`; nil where a number cannot be.
        func sectionSizes(width: Int) -> [Int]? {
            let most = Int64(Int32.max)
            guard (0...most).contains(slotCount), (0...most).contains(rowCount),
                (0...slotCount).contains(sessionCount), (0...slotCount).contains(count),
                (0...65_536).contains(width)
            else { return nil }
            let (slots, rows, sessions) = (Int(slotCount), Int(rowCount), Int(sessionCount))
            return [
                MemoryLayout<IndexedSlot>.stride * slots, 4 * slots, width * rows, 4 * rows,
                4 * rows, rows, 8 * SignSketch.wordCount(rows: rows, width: width), 4 * rows,
                8 * sessions, 4 * sessions,
            ]
        }
    }

    var numbers: Numbers {
        Numbers(
            base: base, count: Int64(count), slotCount: Int64(slotCount),
            rowCount: Int64(rowCount), sessionCount: Int64(sessionCount), wordSum: wordSum,
            contextSum: contextSum)
    }

    var sections: [UnsafeRawBufferPointer] {
        [
            slots.bytes, firstRow.bytes, components.bytes, scales.bytes, rowSlot.bytes,
            rowSide.bytes, sketch.words.bytes, sketch.scales.bytes, sessionHash.bytes,
            lastSlot.bytes,
        ]
    }

    /// The index that `sections` was taken of.
    convenience init(_ numbers: Numbers, width: Int, _ sections: [MappedSection]) {
        self.init()
        self.width = width
        base = numbers.base
        count = Int(numbers.count)
        wordSum = numbers.wordSum
        contextSum = numbers.contextSum
        let (slotCount, rowCount) = (Int(numbers.slotCount), Int(numbers.rowCount))
        slots = GrowingBuffer(sections[0], count: slotCount)
        firstRow = GrowingBuffer(sections[1], count: slotCount)
        components = GrowingBuffer(sections[2], count: width * rowCount)
        scales = GrowingBuffer(sections[3], count: rowCount)
        rowSlot = GrowingBuffer(sections[4], count: rowCount)
        rowSide = GrowingBuffer(sections[5], count: rowCount)
        sketch = SignSketch(
            words: GrowingBuffer(
                sections[6], count: SignSketch.wordCount(rows: rowCount, width: width)),
            scales: GrowingBuffer(sections[7], count: rowCount))
        sessionHash = GrowingBuffer(sections[8], count: Int(numbers.sessionCount))
        lastSlot = GrowingBuffer(sections[9], count: Int(numbers.sessionCount))
    }
}

/// Memory that searches write, with one entry a slot, or a row, each; it grows and is never given back.
final class SearchScratch {
    /// BM25 sums.
    private(set) var lexical = GrowingBuffer<LexicalSums>()
    /// The counts of eight terms, a byte each as in `Postings`.
    private(set) var termCounts = GrowingBuffer<UInt64>()
    /// Whether a slot's vectors were compared in 8 bits; zero between searches.
    private(set) var isCompared = GrowingBuffer<UInt8>()
    /// Cosines of the user's side and of the other.
    private(set) var nearness = GrowingBuffer<SIMD2<Float>>()
    private(set) var estimates = GrowingBuffer<Float>()
    private(set) var rowScores = GrowingBuffer<Float>()

    func prepare(slots: Int, rows: Int) {
        func sized<Element>(_ buffer: inout GrowingBuffer<Element>, _ count: Int) {
            if count > buffer.count { _ = buffer.extend(by: count - buffer.count) }
        }
        let more = slots - isCompared.count
        if more > 0 { isCompared.extend(by: more).update(repeating: 0, count: more) }
        sized(&lexical, slots)
        sized(&termCounts, slots)
        sized(&nearness, slots)
        sized(&estimates, slots)
        sized(&rowScores, rows)
    }
}

/// What the question's words say of one exchange.
typealias LexicalSums = SIMD4<Float>

extension LexicalSums {
    /// BM25 over the neighbourhood, and of each side alone.
    var whole: Float { x }
    var user: Float { y }
    var other: Float { z }
    /// The information of the question's words that are there.
    var coverage: Float { w }
}
