/// Reads the generated tables: base-36 numbers between white space.
struct PackedTable {
    private let text: StaticString
    private var position = 0

    init(_ text: StaticString) { self.text = text }

    /// The next number; nil at the end.
    mutating func next() -> Int? {
        let bytes = text.utf8Start
        let count = text.utf8CodeUnitCount
        while position < count, bytes[position] <= 0x20 { position += 1 }
        guard position < count else { return nil }
        var negative = false
        if bytes[position] == UInt8(ascii: "-") {
            negative = true
            position += 1
        }
        var value = 0
        while position < count, bytes[position] > 0x20 {
            let byte = bytes[position]
            let letters = UInt8(ascii: "a")
            let digit = byte < letters ? byte - UInt8(ascii: "0") : byte - letters + 10
            value = value * 36 + Int(digit)
            position += 1
        }
        return negative ? -value : value
    }

    /// Calls `body` with each range of a list of `gap length` pairs.
    static func forEachRange(_ text: StaticString, _ body: (Range<Int>) -> Void) {
        var table = PackedTable(text)
        var end = 0
        while let gap = table.next(), let length = table.next() {
            body(end + gap..<end + gap + length)
            end += gap + length
        }
    }

    /// Calls `body` with each entry of a list of `gap length scalar …`.
    static func forEachSequence(_ text: StaticString, _ body: (Int, [UInt32]) -> Void) {
        var table = PackedTable(text)
        var end = 0
        while let gap = table.next(), let length = table.next() {
            let values = (0..<length).compactMap { _ in table.next().map { UInt32($0) } }
            body(end + gap, values)
            end += gap + 1
        }
    }

    /// Calls `body` with each pair of a list of runs `gap count step delta`.
    static func forEachReplacement(_ text: StaticString, _ body: (Int, UInt32) -> Void) {
        var table = PackedTable(text)
        var end = 0
        while let gap = table.next(), let count = table.next(), let step = table.next(),
            let delta = table.next()
        {
            for i in 0..<count {
                let point = end + gap + step * i
                body(point, UInt32(point + delta))
            }
            end += gap + step * (count - 1) + 1
        }
    }
}
