/// BERT's uncased normaliser and pre-tokenizer in one pass: from text to clean words.
///
/// Control characters are removed. White space separates words. Punctuation and ideographs are
/// words of their own. Letters are decomposed, stripped of accents and lower-cased. The tables give
/// the result for each code point. Only the order of combining marks depends on more than one.
struct BertNormalizer: Sendable {
    static let shared = BertNormalizer()

    /// The effect on a code point.
    private enum Fate: UInt8 {
        case kept, dropped, droppedStarter, space, ideograph, punctuation, mark, single, sequence
        case hangul
    }

    private let fates: [UInt8]
    private let highFates: [(range: Range<Int>, fate: UInt8)]
    private let combiningClasses: [UInt32: UInt8]
    private let singles: [UInt32: UInt32]
    private let sequences: [UInt32: [UInt32]]

    private init() {
        var fates = [UInt8](repeating: Fate.kept.rawValue, count: 0x20000)
        var high: [(range: Range<Int>, fate: UInt8)] = []
        func mark(_ range: Range<Int>, _ fate: Fate) {
            for point in range.clamped(to: 0..<fates.count) { fates[point] = fate.rawValue }
            let above = range.clamped(to: fates.count..<0x110000)
            if !above.isEmpty { high.append((above, fate.rawValue)) }
        }
        let sets: [(StaticString, Fate)] = [
            (BertScalarTable.dropped, .dropped),
            (BertScalarTable.droppedStarters, .droppedStarter),
            (BertScalarTable.spaces, .space), (BertScalarTable.ideographs, .ideograph),
            (BertScalarTable.punctuation, .punctuation),
        ]
        for (table, fate) in sets { PackedTable.forEachRange(table) { mark($0, fate) } }
        mark(0xAC00..<0xD7A4, .hangul)
        var combiningClasses: [UInt32: UInt8] = [:]
        PackedTable.forEachSequence(BertScalarTable.combiningClasses) { point, values in
            combiningClasses[UInt32(point)] = values.first.map { UInt8($0) }
            mark(point..<point + 1, .mark)
        }
        // Above 0x20000 the replacements are too scattered for ranges, so dictionaries contain
        // them.
        var singles: [UInt32: UInt32] = [:]
        PackedTable.forEachReplacement(BertScalarTable.singles) { point, result in
            singles[UInt32(point)] = result
            if point < fates.count { fates[point] = Fate.single.rawValue }
        }
        var sequences: [UInt32: [UInt32]] = [:]
        PackedTable.forEachSequence(BertScalarTable.sequences) { point, values in
            sequences[UInt32(point)] = values
            if point < fates.count { fates[point] = Fate.sequence.rawValue }
        }
        self.fates = fates
        highFates = high
        self.combiningClasses = combiningClasses
        self.singles = singles
        self.sequences = sequences
    }

    /// Calls `body` with the UTF-8 of each word of `range`, in order, until it returns false.
    func forEachWord(
        in text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>,
        _ body: (UnsafeBufferPointer<UInt8>) -> Bool
    ) {
        var words = WordCollector()
        var index = range.lowerBound
        while index < range.upperBound {
            let scalar = decodeScalar(text, at: index)
            index += scalar.byteCount
            if !normalize(scalar.value, into: &words, body) { return }
        }
        _ = words.endWord(body)
    }

    /// Adds the result of a code point. Returns false once `body` wants no more.
    @inline(__always)
    private func normalize(
        _ point: UInt32, into words: inout WordCollector,
        _ body: (UnsafeBufferPointer<UInt8>) -> Bool
    ) -> Bool {
        switch fate(of: point) {
        case .dropped: return true
        case .droppedStarter:
            words.endMarks()
            return true
        case .single: return add(singles[point] ?? point, to: &words, body)
        case .sequence:
            for part in sequences[point] ?? [] where !add(part, to: &words, body) { return false }
            return true
        case .hangul:
            // Unicode's arithmetic decomposition into two or three jamo.
            let offset = point - 0xAC00
            words.add(0x1100 + offset / 588)
            words.add(0x1161 + offset % 588 / 28)
            if offset % 28 > 0 { words.add(0x11A7 + offset % 28) }
            return true
        case .kept, .space, .ideograph, .punctuation, .mark:
            return add(point, to: &words, body)
        }
    }

    /// Adds an unchanged code point.
    @inline(__always)
    private func add(
        _ point: UInt32, to words: inout WordCollector,
        _ body: (UnsafeBufferPointer<UInt8>) -> Bool
    ) -> Bool {
        switch fate(of: point) {
        case .space:
            return words.endWord(body)
        case .punctuation, .ideograph:
            if !words.endWord(body) { return false }
            words.add(point)
            return words.endWord(body)
        case .mark:
            words.addMark(point, combiningClass: combiningClasses[point] ?? 0)
            return true
        default:
            words.add(point)
            return true
        }
    }

    @inline(__always)
    private func fate(of point: UInt32) -> Fate {
        if point < 0x20000 {
            return Fate(rawValue: fates[Int(point)]) ?? .kept
        }
        return highFate(of: point)
    }

    @inline(never)
    private func highFate(of point: UInt32) -> Fate {
        if singles[point] != nil { return .single }
        if sequences[point] != nil { return .sequence }
        let entry = highFates.last { $0.range.contains(Int(point)) }
        return entry.flatMap { Fate(rawValue: $0.fate) } ?? .kept
    }
}

/// Collects the UTF-8 of one word and keeps combining marks in canonical order.
private struct WordCollector {
    private var word: [UInt8] = []
    /// Marks since the last starter, not yet ordered.
    private var marks: [(point: UInt32, combiningClass: UInt8)] = []

    init() { word.reserveCapacity(64) }

    @inline(__always)
    mutating func add(_ point: UInt32) {
        if !marks.isEmpty { endMarks() }
        write(point)
    }

    mutating func addMark(_ point: UInt32, combiningClass: UInt8) {
        marks.append((point, combiningClass))
    }

    /// Writes the waiting marks, stably sorted by class.
    mutating func endMarks() {
        for i in marks.indices.dropFirst() {
            var j = i
            while j > 0, marks[j - 1].combiningClass > marks[j].combiningClass {
                marks.swapAt(j - 1, j)
                j -= 1
            }
        }
        for mark in marks { write(mark.point) }
        marks.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    mutating func endWord(_ body: (UnsafeBufferPointer<UInt8>) -> Bool) -> Bool {
        if !marks.isEmpty { endMarks() }
        if word.isEmpty { return true }
        let goesOn = word.withUnsafeBufferPointer(body)
        word.removeAll(keepingCapacity: true)
        return goesOn
    }

    @inline(__always)
    private mutating func write(_ point: UInt32) {
        if point < 0x80 {
            word.append(UInt8(truncatingIfNeeded: point))
        } else if let encoded = Unicode.Scalar(point).flatMap({ UTF8.encode($0) }) {
            word.append(contentsOf: encoded)
        }
    }
}
