import Foundation

/// Passes a reply that holds one of some words or phrases, as whole words in any case.
package struct ContainsAnyScorer: Scorer {
    /// One of these must occur.
    package let any: [String]
    /// None of these may: what a reply that hedges or confuses would name.
    package let none: [String]
    /// Longer replies fail: copying a text is no summary of it.
    package let maxWords: Int?

    /// Makes a scorer; `any` is not empty.
    package init(any: [String], none: [String] = [], maxWords: Int? = nil) {
        self.any = any
        self.none = none
        self.maxWords = maxWords
    }

    /// Whether `reply` passes.
    package func passes(_ reply: String) -> Bool {
        if let maxWords, reply.split(whereSeparator: \.isWhitespace).count > maxWords {
            return false
        }
        let text = Self.plain(reply)
        return any.contains { Self.contains(text, Self.plain($0)) }
            && !none.contains { Self.contains(text, Self.plain($0)) }
    }

    /// Lower case, with typewriter quotes and single spaces, so that typesetting does not matter.
    static func plain(_ text: String) -> [Character] {
        let simple = text.lowercased()
            .replacingOccurrences(of: "\u{2019}", with: "'")
            .replacingOccurrences(of: "\u{2018}", with: "'")
        return Array(simple.split(whereSeparator: \.isWhitespace).joined(separator: " "))
    }

    /// Whether `phrase` occurs with no letter or digit joined to its ends.
    static func contains(_ text: [Character], _ phrase: [Character]) -> Bool {
        guard !phrase.isEmpty, phrase.count <= text.count else { return false }
        func joins(_ index: Int) -> Bool {
            text.indices.contains(index) && (text[index].isLetter || text[index].isNumber)
        }
        return (0...text.count - phrase.count).contains { start in
            let end = start + phrase.count
            return text[start] == phrase[0] && text[start..<end].elementsEqual(phrase)
                && !(joins(start - 1) && joins(start)) && !(joins(end) && joins(end - 1))
        }
    }
}
