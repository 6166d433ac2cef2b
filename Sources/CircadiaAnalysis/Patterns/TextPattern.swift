import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A regular expression made of alternatives, compiled once. `^` and `$` match at lines.
package struct TextPattern: Sendable {
    /// The alternatives as one compiled expression.
    package let expression: NSRegularExpression?
    private let needles: [[UInt8]]

    /// A pattern that matches where any of the alternatives does.
    ///
    /// - Parameters:
    ///   - alternatives: regular expressions.
    ///   - needles: each alternative's matches hold one of these texts, so that most prose need not be
    ///     looked through; none where that cannot be said.
    ///   - ignoringCase: whether letters match in either case; needles never do.
    package init(
        _ alternatives: String..., needing needles: [String] = [], ignoringCase: Bool = false
    ) {
        self.needles = needles.map { Array($0.utf8) }
        let pattern = alternatives.map { "(?:\($0))" }.joined(separator: "|")
        var options: NSRegularExpression.Options = [.anchorsMatchLines]
        if ignoringCase { options.insert(.caseInsensitive) }
        expression = try? NSRegularExpression(pattern: pattern, options: options)
        // The alternatives are constants of this program: one that does not compile is a bug.
        precondition(expression != nil, "a pattern does not compile: \(pattern)")
    }

    /// How often the pattern matches, at most `limit` times.
    package func count(in text: String, limit: Int = .max) -> Int {
        guard let expression, mayMatch(text) else { return 0 }
        var count = 0
        let range = NSRange(location: 0, length: text.utf16.count)
        expression.enumerateMatches(in: text, range: range) { match, _, stop in
            if match != nil { count += 1 }
            if count >= limit { stop.pointee = true }
        }
        return count
    }

    private func mayMatch(_ text: String) -> Bool {
        guard !needles.isEmpty else { return true }
        var text = text
        return text.withUTF8 { bytes in needles.contains { Self.holds(bytes, $0) } }
    }

    private static func holds(_ bytes: UnsafeBufferPointer<UInt8>, _ needle: [UInt8]) -> Bool {
        guard let base = bytes.baseAddress else { return false }
        var start = 0
        while start + needle.count <= bytes.count,
            let found = memchr(
                base + start, Int32(needle[0]), bytes.count - start - needle.count + 1)
        {
            if memcmp(found, needle, needle.count) == 0 { return true }
            start = UnsafeRawPointer(found) - UnsafeRawPointer(base) + 1
        }
        return false
    }

    /// Whether the pattern matches anywhere.
    package func matches(_ text: String) -> Bool { count(in: text, limit: 1) > 0 }
}

/// A regular expression of which one group is wanted.
package struct CapturePattern: Sendable {
    private let expression: NSRegularExpression?

    /// A pattern with one group.
    package init(_ pattern: String) {
        expression = try? NSRegularExpression(pattern: pattern)
        precondition(expression != nil, "a pattern does not compile: \(pattern)")
    }

    /// What the group holds at the first match; nil where there is none.
    package func firstMatch(in text: String) -> String? {
        let whole = NSRange(location: 0, length: text.utf16.count)
        guard let match = expression?.firstMatch(in: text, range: whole),
            let range = Range(match.range(at: 1), in: text)
        else { return nil }
        return String(text[range])
    }
}
