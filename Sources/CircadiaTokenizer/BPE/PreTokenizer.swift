/// Cuts text into words, which merges never cross.
///
/// The two regular expressions are hand-written scanners. A regular-expression engine would be the
/// slowest part of encoding, and the engines of macOS and Linux disagree on Unicode.
struct PreTokenizer: Sendable, Equatable {
    /// The pattern of the words.
    enum Pattern: Sendable, Equatable {
        /// GPT-2: contractions, then letters, numbers or other characters, each with one space
        /// before.
        case gpt2
        /// Llama 3. It differs from GPT-2 in this: contractions in any case, numbers of at most
        /// `maxDigits` digits, any one mark before letters, and line breaks stay with the text
        /// before them.
        case llama3(maxDigits: Int)
    }

    /// The Digits pre-tokenizer in front of the pattern.
    enum Digits: Sendable, Equatable {
        /// None.
        case none
        /// Each digit is a separate word.
        case individual
        /// Each run of digits is a separate stretch.
        case contiguous
    }

    static let gpt2Expression =
        #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    static let llama3Expression =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"#
        + #" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    static let llama3SingleDigitExpression = llama3Expression.replacingDigits()

    var digits: Digits
    var pattern: Pattern

    /// The pattern of a regular expression; nil if it is unknown.
    static func pattern(of expression: String) -> Pattern? {
        switch expression {
        case gpt2Expression: return .gpt2
        case llama3Expression: return .llama3(maxDigits: 3)
        case llama3SingleDigitExpression: return .llama3(maxDigits: 1)
        default: return nil
        }
    }

    /// Calls `body` with each word of `range`, in order and without gaps.
    @inline(__always)
    func forEachWord(
        in text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>,
        _ body: (Range<Int>) -> Void
    ) {
        ScalarClasses.shared.withLookup { classes in
            if digits == .none {
                scan(text, range, classes, body)
                return
            }
            var start = range.lowerBound
            var index = start
            var wasDigit = false
            while index < range.upperBound {
                let scalar = decodeScalar(text, at: index)
                let isDigit = classes[scalar.value] & ScalarClasses.digit != 0
                let cuts = isDigit != wasDigit || isDigit && digits == .individual
                if cuts && start < index {
                    scan(text, start..<index, classes, body)
                    start = index
                }
                wasDigit = isDigit
                index &+= scalar.byteCount
            }
            if start < index { scan(text, start..<index, classes, body) }
        }
    }

    @inline(__always)
    private func scan(
        _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ classes: ScalarClasses.Lookup,
        _ body: (Range<Int>) -> Void
    ) {
        let scanner = WordScanner(text: text, end: range.upperBound, classes: classes)
        var start = range.lowerBound
        while start < range.upperBound {
            let end: Int
            switch pattern {
            case .gpt2: end = scanner.gpt2Word(from: start)
            case .llama3(let maxDigits): end = scanner.llama3Word(from: start, maxDigits: maxDigits)
            }
            body(start..<end)
            start = end
        }
    }
}

extension String {
    /// The same expression with numbers split digit by digit.
    fileprivate func replacingDigits() -> String {
        let limit = "{1,3}"
        guard let range = firstRange(of: limit) else { return self }
        return String(self[..<range.lowerBound]) + String(self[range.upperBound...])
    }
}
