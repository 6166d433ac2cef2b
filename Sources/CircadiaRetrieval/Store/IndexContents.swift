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

    // One entry a slot; one without an exchange has session -1.
    private(set) var milliseconds = GrowingBuffer<Int64>()
    private(set) var session = GrowingBuffer<Int32>()
    /// The slots before and after in its session; -1 for none.
    private(set) var previous = GrowingBuffer<Int32>()
    private(set) var next = GrowingBuffer<Int32>()
    /// Its words as BM25 counts them, the neighbours' included.
    private(set) var contextWords = GrowingBuffer<Float>()
    private(set) var userWords = GrowingBuffer<UInt16>()
    private(set) var otherWords = GrowingBuffer<UInt16>()
    private(set) var flags = GrowingBuffer<SlotFlags>()
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

    var slotCount: Int { session.count }
    var rowCount: Int { rowSlot.count }
    var sessionCount: Int { lastSlot.count }

    init() {}

    func start(at base: Int64, count: Int, vectorBytes: Int) {
        self.base = base
        milliseconds.reserve(count)
        session.reserve(count)
        previous.reserve(count)
        next.reserve(count)
        contextWords.reserve(count)
        userWords.reserve(count)
        otherWords.reserve(count)
        flags.reserve(count)
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

    /// The columns as they are now, for loops over all slots: valid until something is appended.
    var columns: Columns {
        Columns(
            base: base, slotCount: slotCount, rowCount: rowCount,
            milliseconds: .init(milliseconds.pointer), session: .init(session.pointer),
            previous: .init(previous.pointer), next: .init(next.pointer),
            contextWords: .init(contextWords.pointer), userWords: .init(userWords.pointer),
            otherWords: .init(otherWords.pointer), flags: .init(flags.pointer),
            firstRow: .init(firstRow.pointer), rowSlot: .init(rowSlot.pointer),
            rowSide: .init(rowSide.pointer))
    }

    /// `IndexContents` without the checks that an access to a class's variable makes each time.
    struct Columns {
        let base: Int64
        let slotCount, rowCount: Int
        let milliseconds: UnsafePointer<Int64>
        let session, previous, next: UnsafePointer<Int32>
        let contextWords: UnsafePointer<Float>
        let userWords, otherWords: UnsafePointer<UInt16>
        let flags: UnsafePointer<SlotFlags>
        let firstRow, rowSlot: UnsafePointer<Int32>
        let rowSide: UnsafePointer<UInt8>

        func slot(_ number: Int32) -> Int? {
            let slot = Int(Int64(number) - base)
            return slot >= 0 && slot < slotCount && session[slot] >= 0 ? slot : nil
        }

        /// The vector rows of a slot.
        func rows(_ slot: Int) -> Range<Int> {
            let first = Int(firstRow[slot])
            if first < 0 { return 0..<0 }
            var end = first
            while end < rowCount && rowSlot[end] == slot { end += 1 }
            return first..<end
        }

        /// `flags` as the kernels have them.
        var links: UnsafePointer<UInt8> {
            UnsafeRawPointer(flags).assumingMemoryBound(to: UInt8.self)
        }

        /// The exchanges of which a neighbour is not the slot beside.
        var strays: [Int] {
            var strays: [Int] = []
            var slot = 0
            let bytes = UnsafeRawPointer(flags)
            let plain = 0x0101_0101_0101_0101 * UInt64(SlotFlags.plain.rawValue)
            while slot < slotCount {
                // Eight that are plain, as nearly all are, in one look.
                if slot + 8 <= slotCount,
                    bytes.loadUnaligned(fromByteOffset: slot, as: UInt64.self) & plain == plain
                {
                    slot += 8
                    continue
                }
                if !flags[slot].contains(.plain) && session[slot] >= 0 { strays.append(slot) }
                slot += 1
            }
            return strays
        }

        /// A slot's neighbours, -1 for none.
        func around(_ slot: Int) -> (previous: Int, next: Int) {
            (Int(previous[slot]), Int(next[slot]))
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
            while slotCount < slot { appendSlot() }
            let sessionIndex = sessions[exchange.session] ?? Int32(sessions.count)
            if sessionIndex == Int32(sessions.count) {
                sessions[exchange.session] = sessionIndex
                sessionHash.append(exchange.session)
                lastSlot.append(-1)
            }
            appendSlot()
            let words = Float(exchange.userWords) + Float(exchange.otherWords)
            milliseconds[slot] = exchange.milliseconds
            session[slot] = sessionIndex
            contextWords[slot] = words
            userWords[slot] = exchange.userWords
            otherWords[slot] = exchange.otherWords
            flags[slot] = .plain
            if exchange.userNamesTime { flags.pointer[slot].insert(.userNamesTime) }
            if exchange.otherNamesTime { flags.pointer[slot].insert(.otherNamesTime) }
            count += 1
            wordSum += Double(words)
            contextSum += Double(words)
            link(slot, after: lastSlot[Int(sessionIndex)])
            lastSlot[Int(sessionIndex)] = Int32(slot)
        }
    }

    /// Adds a slot without an exchange.
    private func appendSlot() {
        milliseconds.append(.min)
        session.append(-1)
        previous.append(-1)
        next.append(-1)
        contextWords.append(0)
        userWords.append(0)
        otherWords.append(0)
        flags.append([])
        firstRow.append(-1)
    }

    private func link(_ slot: Int, after earlier: Int32) {
        guard earlier >= 0 else { return }
        let before = Int(earlier)
        func words(_ slot: Int) -> Float { Float(userWords[slot]) + Float(otherWords[slot]) }
        let fromBefore = LexicalWeights.previous * words(before)
        let fromHere = LexicalWeights.following * words(slot)
        previous[slot] = earlier
        contextWords[slot] += fromBefore
        next[before] = Int32(slot)
        contextWords[before] += fromHere
        contextSum += Double(fromBefore) + Double(fromHere)
        if before == slot - 1 {
            flags.pointer[slot].insert(.followsNeighbour)
            flags.pointer[before].insert(.precedesNeighbour)
        } else {
            flags.pointer[slot].remove(.plain)
            flags.pointer[before].remove(.plain)
        }
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
                8 * slots, 4 * slots, 4 * slots, 4 * slots, 4 * slots, 2 * slots, 2 * slots, slots,
                4 * slots, width * rows, 4 * rows, 4 * rows, rows,
                8 * SignSketch.wordCount(rows: rows, width: width), 4 * rows,
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
            milliseconds.bytes, session.bytes, previous.bytes, next.bytes, contextWords.bytes,
            userWords.bytes, otherWords.bytes, flags.bytes, firstRow.bytes, components.bytes,
            scales.bytes, rowSlot.bytes,
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
        milliseconds = GrowingBuffer(sections[0], count: slotCount)
        session = GrowingBuffer(sections[1], count: slotCount)
        previous = GrowingBuffer(sections[2], count: slotCount)
        next = GrowingBuffer(sections[3], count: slotCount)
        contextWords = GrowingBuffer(sections[4], count: slotCount)
        userWords = GrowingBuffer(sections[5], count: slotCount)
        otherWords = GrowingBuffer(sections[6], count: slotCount)
        flags = GrowingBuffer(sections[7], count: slotCount)
        firstRow = GrowingBuffer(sections[8], count: slotCount)
        components = GrowingBuffer(sections[9], count: width * rowCount)
        scales = GrowingBuffer(sections[10], count: rowCount)
        rowSlot = GrowingBuffer(sections[11], count: rowCount)
        rowSide = GrowingBuffer(sections[12], count: rowCount)
        sketch = SignSketch(
            words: GrowingBuffer(
                sections[13], count: SignSketch.wordCount(rows: rowCount, width: width)),
            scales: GrowingBuffer(sections[14], count: rowCount))
        sessionHash = GrowingBuffer(sections[15], count: Int(numbers.sessionCount))
        lastSlot = GrowingBuffer(sections[16], count: Int(numbers.sessionCount))
    }
}
