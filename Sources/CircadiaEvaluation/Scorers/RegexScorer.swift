import Foundation

/// Passes a reply in which a regular expression (ICU syntax) matches somewhere.
package struct RegexScorer: Scorer {
    /// The expression; anchors and flags such as `(?i)` are its own business.
    package let pattern: String

    /// Makes a scorer; nil where the pattern is no regular expression.
    package init?(pattern: String) {
        guard !pattern.isEmpty, (try? NSRegularExpression(pattern: pattern)) != nil else {
            return nil
        }
        self.pattern = pattern
    }

    /// Whether `reply` passes.
    package func passes(_ reply: String) -> Bool {
        reply.range(of: pattern, options: .regularExpression) != nil
    }
}
