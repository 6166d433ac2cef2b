import Foundation

/// A secret where Foundation's regular expressions count: in UTF-16.
package struct SecretFinding {
    let kind: SecretKind
    let range: NSRange
}

/// A regular expression that says where a secret is: its group `secret`, or else all of a match.
package struct SecretPattern: Sendable {
    private let expression: NSRegularExpression?
    private let isGrouped: Bool

    init(_ pattern: String, ignoringCase: Bool = false) {
        expression = try? NSRegularExpression(
            pattern: pattern,
            options: ignoringCase ? [.anchorsMatchLines, .caseInsensitive] : .anchorsMatchLines)
        isGrouped = pattern.contains("(?<secret>")
        // A constant of this program that does not compile is a bug.
        precondition(expression != nil, "a pattern does not compile: \(pattern)")
    }

    /// The matches; with names, the groups beside `secret` can be asked for.
    package func matches(in document: NSString) -> [NSTextCheckingResult] {
        expression?.matches(
            in: document as String, range: NSRange(location: 0, length: document.length)) ?? []
    }

    /// The secrets that pass a test of their text.
    package func findings(
        _ kind: SecretKind, in document: NSString, where accepts: (String) -> Bool = { _ in true }
    ) -> [SecretFinding] {
        matches(in: document).compactMap { match in
            let range = isGrouped ? match.range(withName: "secret") : match.range
            guard range.location != NSNotFound, accepts(document.substring(with: range)) else {
                return nil
            }
            return SecretFinding(kind: kind, range: range)
        }
    }
}
