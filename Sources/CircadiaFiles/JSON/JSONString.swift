/// A string inside a JSON document, still in the document's bytes.
package struct JSONString {
    /// The bytes between the quotes.
    package var range: Range<Int>
    /// Whether a backslash occurs, so that the bytes are not the text.
    package var hasEscapes: Bool

    /// The text; broken UTF-8 and lone surrogates become U+FFFD.
    package func text(in bytes: UnsafeBufferPointer<UInt8>) -> String {
        withBytes(in: bytes) { String(decoding: $0, as: UTF8.self) }
    }

    /// Calls `body` with the string's UTF-8, escapes resolved; copies only if there are some.
    @inline(__always)
    package func withBytes<Result>(
        in bytes: UnsafeBufferPointer<UInt8>,
        _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
    ) rethrows -> Result {
        if !hasEscapes { return try body(UnsafeBufferPointer(rebasing: bytes[range])) }
        return try unescaped(in: bytes).bytes.withUnsafeBufferPointer(body)
    }

    /// The text; nil where it is no UTF-8 or holds a lone surrogate.
    package func exactText(in bytes: UnsafeBufferPointer<UInt8>) -> String? {
        if !hasEscapes { return String(validating: bytes[range], as: UTF8.self) }
        let (text, isExact) = unescaped(in: bytes)
        return isExact ? String(validating: text, as: UTF8.self) : nil
    }

    /// Whether the string is exactly `text`.
    package func equals(_ text: StaticString, in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        withBytes(in: bytes) {
            $0.elementsEqual(
                UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        }
    }

    /// The bytes with escapes resolved, and whether none of them was a lone surrogate.
    private func unescaped(
        in bytes: UnsafeBufferPointer<UInt8>
    ) -> (bytes: [UInt8], isExact: Bool) {
        var result: [UInt8] = []
        var isExact = true
        result.reserveCapacity(range.count)
        var i = range.lowerBound
        while i < range.upperBound {
            guard bytes[i] == UInt8(ascii: "\\") else {
                result.append(bytes[i])
                i += 1
                continue
            }
            let kind = bytes[i + 1]
            i += 2
            switch kind {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"):
                var unit = codeUnit(at: i, in: bytes)
                i += 4
                let isPair =
                    (0xD800..<0xDC00).contains(unit) && i + 6 <= range.upperBound
                    && bytes[i] == UInt8(ascii: "\\") && bytes[i + 1] == UInt8(ascii: "u")
                if isPair {
                    let low = codeUnit(at: i + 2, in: bytes)
                    if (0xDC00..<0xE000).contains(low) {
                        unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
                        i += 6
                    }
                }
                if Unicode.Scalar(unit) == nil { isExact = false }
                let scalar = Unicode.Scalar(unit) ?? "\u{FFFD}"
                result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            default: result.append(kind)
            }
        }
        return (result, isExact)
    }

    /// The four hexadecimal digits at `index`, which the reader has checked.
    private func codeUnit(at index: Int, in bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        (0..<4).reduce(0) { $0 << 4 | UInt32(hexadecimalValue(bytes[index + $1]) ?? 0) }
    }
}

/// The value of an ASCII digit; nil for other bytes.
@inline(__always)
package func decimalValue(_ byte: UInt8) -> Int? {
    byte &- UInt8(ascii: "0") < 10 ? Int(byte &- UInt8(ascii: "0")) : nil
}

/// The value of a hexadecimal ASCII digit of either case; nil for other bytes.
@inline(__always)
package func hexadecimalValue(_ byte: UInt8) -> Int? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return Int(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): return Int(byte - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): return Int(byte - UInt8(ascii: "A")) + 10
    default: return nil
    }
}
