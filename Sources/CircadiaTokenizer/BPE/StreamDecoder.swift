/// Decodes tokens one by one, as a model produces them.
///
/// If a token ends in the middle of a character, the first bytes wait for the next token. The
/// concatenated results of `append` and `finish` equal `decode` of the same ids.
package struct StreamDecoder: Sendable {
    private let tokenizer: BPETokenizer
    private let skippingSpecial: Bool
    private var waiting: [UInt8] = []

    init(tokenizer: BPETokenizer, skippingSpecial: Bool) {
        self.tokenizer = tokenizer
        self.skippingSpecial = skippingSpecial
    }

    /// Adds a token and returns the text that is now complete; it may be empty.
    package mutating func append(_ id: Int32) -> String {
        if skippingSpecial && tokenizer.isSpecial(id) { return "" }
        tokenizer.appendBytes(of: id, to: &waiting)
        let complete = waiting.count - Self.unfinishedByteCount(waiting)
        if complete == 0 { return "" }
        let text = String(decoding: waiting[..<complete], as: UTF8.self)
        waiting.removeFirst(complete)
        return text
    }

    /// Returns the rest: U+FFFD if the tokens ended in the middle of a character, else nothing.
    package mutating func finish() -> String {
        let text = String(decoding: waiting, as: UTF8.self)
        waiting.removeAll()
        return text
    }

    /// The number of bytes at the end that begin a character and lack its other bytes.
    private static func unfinishedByteCount(_ bytes: [UInt8]) -> Int {
        let count = bytes.count
        for length in 1...3 where length <= count {
            let first = bytes[count - length]
            if first & 0xC0 == 0x80 { continue }
            let needed: Int
            switch first {
            case 0xC2...0xDF: needed = 2
            case 0xE0...0xEF: needed = 3
            case 0xF0...0xF4: needed = 4
            default: return 0
            }
            if length >= needed { return 0 }
            if length >= 2 && !canFollow(first, bytes[count - length + 1]) { return 0 }
            return length
        }
        return 0
    }

    /// Whether `second` may follow the leading byte `first`: no overlong forms, no surrogates,
    /// nothing above U+10FFFF.
    private static func canFollow(_ first: UInt8, _ second: UInt8) -> Bool {
        switch first {
        case 0xE0: return second >= 0xA0
        case 0xED: return second < 0xA0
        case 0xF0: return second >= 0x90
        case 0xF4: return second < 0x90
        default: return true
        }
    }
}
