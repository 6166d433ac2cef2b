import Foundation

/// A short statement of a person about what is the case: “My favourite colour is blue.”
///
/// Only for finding statements that replace each other. It looks at the words and knows little of what
/// they mean: it is to miss many contradictions and to see hardly any where there is none.
package struct Claim {
    /// The words, without those that only say that something is new, each in its base form.
    private let words: [String]
    /// Whether it says that something is so no longer.
    private let isNegated: Bool
    /// Whether it says that it is new: “now”, “instead”.
    private let isNews: Bool
    /// The telling terms.
    package let telling: Set<String>

    /// Words by which a statement denies.
    package static let negations: Set<String> = [
        "not", "no", "never", "t", "longer", "anymore", "stop", "quit",
    ]

    private static let newsWords: Set<String> = [
        "now", "instead", "actually", "currently", "nowadays", "longer", "anymore", "new", "since",
        "finally", "correction",
    ]

    /// Words that change nothing about what is stated.
    private static let silent: Set<String> = newsWords.union(negations).union(
        """
        just still really also well so oh today already again m am ve have been be re do does did \
        don doesn didn isn aren wasn won start started any s
        """.split(separator: " ").map(String.init))

    /// Verbs of what a person does more than once or with more than one thing.
    private static let repeatable: Set<String> = Set(
        [
            "like", "love", "enjoy", "visit", "read", "watch", "see", "go", "buy", "eat", "play",
            "know", "meet", "try", "get", "make", "want", "need", "feel", "think", "say", "hear",
        ].map(SearchWords.term))

    /// Verbs of what has one value at a time, with the word that the value follows.
    private static let singular: Set<[String]> = Set(
        [
            ["live", "in"], ["live", "at"], ["work", "at"], ["work", "for"], ["work", "as"],
            ["study", "at"], ["drive", "a"], ["born", "in"], ["called"], ["named"], ["weigh"],
        ].map { $0.map { SearchWords.term(SearchWords.canonical($0)) } })

    /// Attributes of which a person or thing has one.
    private static let attributes: Set<String> = Set(
        """
        name address number birthday age job employer boss manager email password phone doctor dentist \
        size weight height deadline salary rent budget city town country hometown nationality language \
        diet wife husband partner spouse girlfriend boyfriend fiance major title username version \
        server port url appointment flight plan goal favourite favorite
        """.split(separator: " ").map { SearchWords.term(SearchWords.canonical(String($0))) })

    private static let copulas: Set<String> = Set(["is", "are", "was"].map(SearchWords.term))

    /// The statements in a text; questions and long sentences are none.
    package static func claims(in text: String) -> [Claim] {
        var claims: [Claim] = []
        var sentence = ""
        func flush(isQuestion: Bool) {
            defer { sentence = "" }
            if isQuestion { return }
            for part in sentence.replacingOccurrences(of: " and ", with: ",")
                .replacingOccurrences(of: " but ", with: ",").split(separator: ",")
            {
                if let claim = Claim(part) { claims.append(claim) }
            }
        }
        let characters = Array(text)
        for (index, character) in characters.enumerated() {
            let isEnd = index + 1 == characters.count || characters[index + 1].isWhitespace
            switch character {
            case "\n", ";": flush(isQuestion: false)
            // A full stop in “1.2” ends nothing.
            case ".", "!", ":":
                if isEnd { flush(isQuestion: false) } else { sentence.append(character) }
            case "?": flush(isQuestion: true)
            default: sentence.append(character)
            }
            if claims.count > 40 { return claims }
        }
        flush(isQuestion: false)
        return claims
    }

    private init?(_ text: Substring) {
        let all = SearchWords.words(in: String(text))
        guard (2...20).contains(all.count) else { return nil }
        isNegated = !Self.negations.isDisjoint(with: all)
        isNews = !Self.newsWords.isDisjoint(with: all)
        // “I moved to Berlin” tells where one lives.
        var words = all.filter { !Self.silent.contains($0) }.map(SearchWords.term)
        if let verb = words.firstIndex(of: "move"), words.indices.contains(verb + 1),
            words[verb + 1] == "to"
        {
            words.replaceSubrange(verb...verb + 1, with: ["live", "in"])
        }
        self.words = words
        telling = Set(words.filter { !EnglishWords.smallTalk.contains($0) })
        if words.count < 2 || telling.isEmpty { return nil }
    }

    /// The telling terms of what two statements are about, where they cannot both hold; else nil.
    package static func contradiction(of newer: Claim, with older: Claim) -> Set<String>? {
        if newer.isNegated != older.isNegated {
            return newer.telling == older.telling ? newer.telling : nil
        }
        if newer.isNegated { return nil }
        let start = zip(newer.words, older.words).prefix { $0 == $1 }.count
        var end = 0
        while end < min(newer.words.count, older.words.count) - start,
            newer.words[newer.words.count - 1 - end] == older.words[older.words.count - 1 - end]
        { end += 1 }
        let values = [newer, older].map { $0.words[start..<$0.words.count - end] }
        guard start > 0, values.allSatisfy({ (1...4).contains($0.count) }) else { return nil }
        let frame = Array(newer.words[..<start])
        let subject = Set(frame).intersection(newer.telling)
        let common = subject.union(values.joined())
        let isNumber = values.allSatisfy { $0.allSatisfy { $0.allSatisfy(\.isNumber) } }
        // “I have two cats”, “I have three cats”.
        if isNumber, !newer.telling.subtracting(values.joined()).isEmpty {
            return common.union(newer.telling)
        }
        guard end == 0, subject.isDisjoint(with: repeatable) else { return nil }
        if singular.contains(where: { frame.suffix($0.count) == $0[...] }) { return common }
        guard let last = frame.last, copulas.contains(last) else {
            return newer.isNews && subject.count >= 1 ? common : nil
        }
        let hasOneValue = subject.count >= 2 || !subject.isDisjoint(with: attributes)
        return hasOneValue || (newer.isNews && !subject.isEmpty) ? common : nil
    }
}
