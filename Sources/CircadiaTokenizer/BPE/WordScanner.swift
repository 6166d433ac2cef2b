/// Finds the end of a word by a pre-tokenizer's regular expression.
///
/// The comments quote the alternative that each branch implements. As in the expression, the first
/// alternative that matches wins.
struct WordScanner {
    let text: UnsafeBufferPointer<UInt8>
    let end: Int
    let classes: ScalarClasses.Lookup

    private static let apostrophe = UInt8(ascii: "'")
    private static let space = UInt8(ascii: " ")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
    @inline(__always)
    func gpt2Word(from start: Int) -> Int {
        if text[start] == Self.apostrophe, let length = contraction(at: start) {
            return start &+ length
        }
        var index = start
        var scalar = decodeScalar(text, at: index)
        var bits = classes[scalar.value]
        if scalar.value == UInt32(Self.space), index &+ 1 < end {
            let following = decodeScalar(text, at: index &+ 1)
            let followingBits = classes[following.value]
            if followingBits & ScalarClasses.whitespace == 0 {
                index &+= 1
                scalar = following
                bits = followingBits
            }
        }
        index &+= scalar.byteCount
        switch bits & ScalarClasses.letterNumberOrWhitespace {
        case ScalarClasses.letter: return run(of: ScalarClasses.letter, from: index)
        case ScalarClasses.number: return run(of: ScalarClasses.number, from: index)
        case 0: return runOfOthers(from: index)
        default: return whitespace(from: start)
        }
    }

    /// The expression of Llama 3; see `PreTokenizer.llama3Expression`.
    @inline(__always)
    func llama3Word(from start: Int, maxDigits: Int) -> Int {
        if text[start] == Self.apostrophe, let length = caseBlindContraction(at: start) {
            return start &+ length
        }
        let scalar = decodeScalar(text, at: start)
        let kind = classes[scalar.value] & ScalarClasses.letterNumberOrWhitespace
        let second = start &+ scalar.byteCount
        // [^\r\n\p{L}\p{N}]?\p{L}+
        if kind == ScalarClasses.letter { return run(of: ScalarClasses.letter, from: second) }
        // \p{N}{1,3}
        if kind == ScalarClasses.number { return numbers(from: second, atMost: maxDigits - 1) }
        let isLineBreak =
            scalar.value == UInt32(Self.lineFeed) || scalar.value == UInt32(Self.carriageReturn)
        if !isLineBreak && second < end {
            let following = decodeScalar(text, at: second)
            let followingKind =
                classes[following.value] & ScalarClasses.letterNumberOrWhitespace
            if followingKind == ScalarClasses.letter {
                return run(of: ScalarClasses.letter, from: second &+ following.byteCount)
            }
            // The optional space of ` ?[^\s\p{L}\p{N}]+[\r\n]*`
            if scalar.value == UInt32(Self.space) && followingKind == 0 {
                return lineBreaks(from: runOfOthers(from: second &+ following.byteCount))
            }
        }
        if kind == 0 { return lineBreaks(from: runOfOthers(from: second)) }
        // \s*[\r\n]+ takes everything up to the last line break of the run of white space.
        let runEnd = run(of: ScalarClasses.whitespace, from: second)
        var index = runEnd
        while index > start {
            let byte = text[index &- 1]
            if byte == Self.lineFeed || byte == Self.carriageReturn { return index }
            index &-= 1
        }
        return whitespace(from: start, to: runEnd)
    }

    // MARK: Parts

    /// `\s+(?!\S)|\s+`: the run of white space, less its last character if a word follows.
    private func whitespace(from start: Int) -> Int {
        whitespace(from: start, to: run(of: ScalarClasses.whitespace, from: start))
    }

    private func whitespace(from start: Int, to runEnd: Int) -> Int {
        if runEnd == end { return end }
        let last = startOfScalar(text, before: runEnd)
        return last > start ? last : runEnd
    }

    @inline(__always)
    private func run(of bit: UInt8, from start: Int) -> Int {
        var index = start
        while index < end {
            let scalar = decodeScalar(text, at: index)
            if classes[scalar.value] & bit == 0 { break }
            index &+= scalar.byteCount
        }
        return index
    }

    /// `[^\s\p{L}\p{N}]*`
    @inline(__always)
    private func runOfOthers(from start: Int) -> Int {
        var index = start
        while index < end {
            let scalar = decodeScalar(text, at: index)
            if classes[scalar.value] & ScalarClasses.letterNumberOrWhitespace != 0 { break }
            index &+= scalar.byteCount
        }
        return index
    }

    private func numbers(from start: Int, atMost limit: Int) -> Int {
        var index = start
        var left = limit
        while index < end, left > 0 {
            let scalar = decodeScalar(text, at: index)
            if classes[scalar.value] & ScalarClasses.number == 0 { break }
            index &+= scalar.byteCount
            left &-= 1
        }
        return index
    }

    /// `[\r\n]*`
    private func lineBreaks(from start: Int) -> Int {
        var index = start
        while index < end, text[index] == Self.lineFeed || text[index] == Self.carriageReturn {
            index &+= 1
        }
        return index
    }

    /// `'s|'t|'re|'ve|'m|'ll|'d`: the length in bytes.
    private func contraction(at start: Int) -> Int? {
        guard start &+ 1 < end else { return nil }
        let third = start &+ 2 < end ? text[start &+ 2] : 0
        return contractionLength(text[start &+ 1], third)
    }

    /// The same in any case. U+017F, the long s, folds to s.
    private func caseBlindContraction(at start: Int) -> Int? {
        guard start &+ 1 < end else { return nil }
        let second = text[start &+ 1]
        if second == 0xC5, start &+ 2 < end, text[start &+ 2] == 0xBF { return 3 }
        let third = start &+ 2 < end ? text[start &+ 2] : 0
        return contractionLength(lowercased(second), lowercased(third))
    }

    private func contractionLength(_ second: UInt8, _ third: UInt8) -> Int? {
        switch second {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"): return third == UInt8(ascii: "e") ? 3 : nil
        case UInt8(ascii: "l"): return third == UInt8(ascii: "l") ? 3 : nil
        default: return nil
        }
    }

    private func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
