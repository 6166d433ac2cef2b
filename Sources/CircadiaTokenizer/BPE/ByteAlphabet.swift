/// GPT-2's alphabet, which writes each byte as one printable character in `tokenizer.json`.
///
/// The 188 printable bytes of Latin-1 stand for themselves; the others, in order, are
/// U+0100, U+0101, … A space is `Ġ`, a line feed `Ċ`.
enum ByteAlphabet {
    /// The byte for each code point below U+0144; −1 if there is none.
    static let byteOfScalar: [Int16] = {
        var table = [Int16](repeating: -1, count: 0x144)
        var next = 0x100
        for byte in 0..<256 {
            let isPrintable =
                (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
            if isPrintable {
                table[byte] = Int16(byte)
            } else {
                table[next] = Int16(byte)
                next += 1
            }
        }
        return table
    }()

    /// Appends the bytes that `written` stands for. If a character is outside the alphabet, it
    /// appends nothing and returns false.
    static func appendBytes(
        of written: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]
    ) -> Bool {
        let start = bytes.count
        var index = 0
        let isWritten = byteOfScalar.withUnsafeBufferPointer { table in
            while index < written.count {
                let first = written[index]
                var point = Int(first)
                if first >= 0x80 {
                    // All non-ASCII characters of the alphabet take two bytes of UTF-8.
                    guard first & 0xE0 == 0xC0, index + 1 < written.count else { return false }
                    point = Int(first & 0x1F) << 6 | Int(written[index + 1] & 0x3F)
                    index += 1
                }
                guard point < table.count, table[point] >= 0 else { return false }
                bytes.append(UInt8(truncatingIfNeeded: table[point]))
                index += 1
            }
            return true
        }
        if !isWritten { bytes.removeSubrange(start...) }
        return isWritten
    }
}
