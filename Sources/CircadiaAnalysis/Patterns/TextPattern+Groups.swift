import Foundation

extension TextPattern {
    /// The groups of every match, the whole match first; nil for a group that took no part.
    package func groups(in text: String) -> [[String?]] {
        guard let expression else { return [] }
        let range = NSRange(location: 0, length: text.utf16.count)
        return expression.matches(in: text, range: range).map { match in
            (0..<match.numberOfRanges).map { index in
                Range(match.range(at: index), in: text).map { String(text[$0]) }
            }
        }
    }

    /// The groups of the first match; nil where there is none.
    package func firstMatch(in text: String) -> [String?]? { groups(in: text).first }

    /// The parts between the matches, those without letters or digits left out.
    package func split(_ text: String) -> [String] {
        guard let expression else { return [text] }
        var parts: [String] = []
        var start = text.startIndex
        let range = NSRange(location: 0, length: text.utf16.count)
        for match in expression.matches(in: text, range: range) {
            guard let found = Range(match.range, in: text) else { continue }
            parts.append(String(text[start..<found.lowerBound]))
            start = found.upperBound
        }
        parts.append(String(text[start...]))
        return parts.filter { $0.contains { $0.isLetter || $0.isNumber || $0 == "\u{E000}" } }
    }
}
