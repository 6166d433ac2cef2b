import Foundation

extension SearchWords {
    /// The terms that a text is indexed under, in order: its words without accents, stemmed.
    package static func terms(in text: String) -> [String] { words(in: text).map(term) }

    /// The telling terms of a question, each once.
    package static func queryTerms(in question: String) -> [String] {
        var seen: Set<String> = []
        return queryWords(in: question).map(term).filter { seen.insert($0).inserted }
    }

    /// The term of a word.
    package static func term(_ word: String) -> String {
        if word.utf8.allSatisfy({ $0 < 0x80 }) { return PorterStemmer.stem(word) }
        let folded = word.folding(options: [.diacriticInsensitive, .widthInsensitive], locale: nil)
        return PorterStemmer.stem(folded)
    }

    /// The phrases that a question puts in double quotes, without the quotes.
    package static func quotedPhrases(in question: String) -> [String] {
        let straight = question.replacingOccurrences(of: "\u{201C}", with: "\"")
            .replacingOccurrences(of: "\u{201D}", with: "\"")
        let pieces = straight.split(separator: "\"", omittingEmptySubsequences: false)
        // Text outside and inside quotes takes turns; an odd quotation mark opens nothing.
        return stride(from: 1, to: pieces.count - 1, by: 2).map { String(pieces[$0]) }
            .filter { !words(in: $0).isEmpty }
    }
}
