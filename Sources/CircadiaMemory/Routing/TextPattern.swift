import Foundation

/// A regular expression made of alternatives, compiled once. `^` and `$` match at lines.
struct TextPattern: Sendable {
    let expression: NSRegularExpression?

    /// A pattern that matches where any of the alternatives does.
    init(_ alternatives: String..., ignoringCase: Bool = false) {
        let pattern = alternatives.map { "(?:\($0))" }.joined(separator: "|")
        var options: NSRegularExpression.Options = [.anchorsMatchLines]
        if ignoringCase { options.insert(.caseInsensitive) }
        expression = try? NSRegularExpression(pattern: pattern, options: options)
        // The alternatives are constants of this program: one that does not compile is a bug.
        precondition(expression != nil, "a pattern does not compile: \(pattern)")
    }

    /// How often the pattern matches, at most `limit` times.
    func count(in text: String, limit: Int = .max) -> Int {
        guard let expression else { return 0 }
        var count = 0
        let range = NSRange(location: 0, length: text.utf16.count)
        expression.enumerateMatches(in: text, range: range) { match, _, stop in
            if match != nil { count += 1 }
            if count >= limit { stop.pointee = true }
        }
        return count
    }

    /// Whether the pattern matches anywhere.
    func matches(_ text: String) -> Bool { count(in: text, limit: 1) > 0 }
}

/// A regular expression of which one group is wanted.
struct CapturePattern: Sendable {
    private let expression: NSRegularExpression?

    /// A pattern with one group.
    init(_ pattern: String) {
        expression = try? NSRegularExpression(pattern: pattern)
        precondition(expression != nil, "a pattern does not compile: \(pattern)")
    }

    /// What the group holds at the first match; nil where there is none.
    func firstMatch(in text: String) -> String? {
        let whole = NSRange(location: 0, length: text.utf16.count)
        guard let match = expression?.firstMatch(in: text, range: whole),
            let range = Range(match.range(at: 1), in: text)
        else { return nil }
        return String(text[range])
    }
}
