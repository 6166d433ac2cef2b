import Foundation

/// Passes a reply whose answer is a number: the answer, not the first number in it.
///
/// The answer is looked for in this order:
/// 1. in the sentence of the last word "answer": a number right after "is" or ":" that starts no
///    sum, else the number after the last "=", else the last one;
/// 2. the number after the last "=" that has one;
/// 3. the last number of the reply.
///
/// Numbers may have a sign, thousands separators ("1,250") and decimals. A digit joined to a letter
/// before it ("B12") is no number.
package struct NumericScorer: Scorer {
    /// The number that is right.
    package let answer: Double
    /// How far off it may be, at least 0.
    package let tolerance: Double

    /// Makes a scorer.
    package init(answer: Double, tolerance: Double = 0) {
        self.answer = answer
        self.tolerance = tolerance
    }

    /// Whether `reply` passes.
    package func passes(_ reply: String) -> Bool {
        guard let number = Self.answer(in: reply) else { return false }
        // Decimal fractions such as 0.1 are not exact in binary.
        return abs(number - answer) <= tolerance + 1e-9 * max(1, abs(answer))
    }

    /// The number that a reply gives as its answer, if any.
    static func answer(in reply: String) -> Double? {
        if let clause = answerClause(of: reply) {
            if let number = statedNumber(clause) ?? numberAfterEquals(clause) { return number }
            if let number = numbers(in: clause).last { return number }
        }
        return numberAfterEquals(reply) ?? numbers(in: reply).last
    }

    /// The rest of the sentence from the last "answer" on.
    private static func answerClause(of reply: String) -> String? {
        guard let start = last(#"(?i)\banswer\b"#, in: reply)?.upperBound else { return nil }
        let rest = reply[start...]
        let end = rest.range(of: #"[.!?](?=\s)|\n"#, options: .regularExpression)?.lowerBound
        return String(rest[..<(end ?? rest.endIndex)])
    }

    /// A number right after "is" or ":", unless it is the first of a sum such as "7 + 5".
    private static func statedNumber(_ clause: String) -> Double? {
        let endsThere = #"(?!\d|[.,]\d|\s*[-+−*/×÷^]\s*\d)"#
        let pattern = #"(?i)(?:\bis\b|:)\s*[^\p{L}\d\s]{0,4}\s*"# + number + endsThere
        return ranges(pattern, in: clause).first.flatMap { numbers(in: String(clause[$0])).first }
    }

    private static func numberAfterEquals(_ text: String) -> Double? {
        let pattern = #"[=≈]\s*[^\d\s=]{0,3}\s*"# + number
        guard let range = last(pattern, in: text) else { return nil }
        return numbers(in: String(text[range])).first
    }

    private static let number = #"(?<![\p{L}\d])(?<!\d\.)[-−]?\d+(?:,\d{3})*(?:\.\d+)?"#

    private static func numbers(in text: String) -> [Double] {
        ranges(number, in: text).compactMap { range in
            Double(
                text[range].replacingOccurrences(of: ",", with: "")
                    .replacingOccurrences(of: "−", with: "-"))
        }
    }

    private static func last(_ pattern: String, in text: String) -> Range<String.Index>? {
        ranges(pattern, in: text).last
    }

    private static func ranges(_ pattern: String, in text: String) -> [Range<String.Index>] {
        var found: [Range<String.Index>] = []
        var rest = text.startIndex..<text.endIndex
        while let range = text.range(of: pattern, options: .regularExpression, range: rest),
            !range.isEmpty
        {
            found.append(range)
            rest = range.upperBound..<text.endIndex
        }
        return found
    }
}
