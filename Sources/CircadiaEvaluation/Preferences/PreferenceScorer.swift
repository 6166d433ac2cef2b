import Foundation

/// Passes a reply that shows a preference: all patterns match, none of the others does, and it is short
/// enough.
package struct PreferenceScorer: Scorer, Codable {
    /// Regular expressions (ICU) each of which matches somewhere.
    package let all: [String]
    /// Regular expressions none of which matches anywhere.
    package let none: [String]
    /// Words that the reply may have; nil for any number.
    package let maxWords: Int?

    private enum CodingKeys: String, CodingKey {
        case all, none
        case maxWords = "max_words"
    }

    /// Makes a scorer.
    package init(all: [String] = [], none: [String] = [], maxWords: Int? = nil) {
        self.all = all
        self.none = none
        self.maxWords = maxWords
    }

    /// Reads `all`, `none` and `max_words`, each of which may be absent.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        all = try container.decodeIfPresent([String].self, forKey: .all) ?? []
        none = try container.decodeIfPresent([String].self, forKey: .none) ?? []
        maxWords = try container.decodeIfPresent(Int.self, forKey: .maxWords)
    }

    /// Whether all patterns are regular expressions and there is anything to judge by.
    var isValid: Bool {
        (!all.isEmpty || !none.isEmpty || maxWords != nil)
            && (all + none).allSatisfy { (try? NSRegularExpression(pattern: $0)) != nil }
    }

    /// Whether `reply` passes; an empty one never does.
    package func passes(_ reply: String) -> Bool {
        let words = reply.split(whereSeparator: \.isWhitespace).count
        guard words > 0, words <= maxWords ?? .max else { return false }
        func matches(_ pattern: String) -> Bool {
            reply.range(of: pattern, options: .regularExpression) != nil
        }
        return all.allSatisfy(matches) && !none.contains(where: matches)
    }
}
