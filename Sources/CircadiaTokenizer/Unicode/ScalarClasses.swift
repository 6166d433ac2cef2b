/// Looks up the class of a code point in the pre-tokenizers' regular expressions.
///
/// Code points below `0x20000`, where nearly all text lies, have one byte each. Above that, a few
/// ranges are searched. The tables come from the library whose tokens must match, not from the
/// operating system's Unicode version, so ids do not depend on the system.
struct ScalarClasses: Sendable {
    static let letter: UInt8 = 1
    static let number: UInt8 = 2
    static let whitespace: UInt8 = 4
    /// Split off by the Digits pre-tokenizer; its set is newer than `number`.
    static let digit: UInt8 = 8
    static let letterOrNumber: UInt8 = 3
    static let letterNumberOrWhitespace: UInt8 = 7

    static let shared = ScalarClasses()

    private let low: [UInt8]
    private let high: [(range: Range<UInt32>, bits: UInt8)]

    private init() {
        var low = [UInt8](repeating: 0, count: 0x20000)
        var high: [(range: Range<UInt32>, bits: UInt8)] = []
        let tables: [(StaticString, UInt8)] = [
            (ScalarClassTable.letters, Self.letter), (ScalarClassTable.numbers, Self.number),
            (ScalarClassTable.whitespace, Self.whitespace), (ScalarClassTable.digits, Self.digit),
        ]
        for (table, bit) in tables {
            PackedTable.forEachRange(table) { range in
                for point in range.clamped(to: 0..<low.count) { low[point] |= bit }
                let above = range.clamped(to: low.count..<0x110000)
                if !above.isEmpty {
                    high.append((UInt32(above.lowerBound)..<UInt32(above.upperBound), bit))
                }
            }
        }
        self.low = low
        self.high = high
    }

    /// Calls `body` with a lookup that does no bounds checks inside loops.
    @inline(__always)
    func withLookup<Result>(_ body: (Lookup) throws -> Result) rethrows -> Result {
        try low.withUnsafeBufferPointer { try body(Lookup(low: $0, classes: self)) }
    }

    /// The class bits of code points, by `scalar.value`.
    struct Lookup {
        fileprivate let low: UnsafeBufferPointer<UInt8>
        fileprivate let classes: ScalarClasses

        @inline(__always)
        subscript(_ point: UInt32) -> UInt8 {
            point < 0x20000 ? low[Int(point)] : classes.highBits(point)
        }
    }

    @inline(never)
    private func highBits(_ point: UInt32) -> UInt8 {
        var bits: UInt8 = 0
        for entry in high where entry.range.contains(point) { bits |= entry.bits }
        return bits
    }
}
