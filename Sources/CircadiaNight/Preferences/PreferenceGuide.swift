import CircadiaAnalysis
import Foundation

/// Helps an answer to follow the preferences, which a small model alone often does not. It starts a
/// list or a program for the model, ends the answer at the right place, and adds fixed words.
///
/// The model writes the rest of the answer.
package struct PreferenceGuide {
    /// The preferences that the answer follows; the last one of a manner decides.
    package let preferences: [StatedPreference]
    /// The topic of the question.
    package let topic: PreferenceQuestion.Topic

    /// A guide to an answer.
    package init(preferences: [StatedPreference], topic: PreferenceQuestion.Topic) {
        self.preferences = preferences
        self.topic = topic
    }

    private func preference(_ manner: StatedPreference.Manner) -> StatedPreference? {
        preferences.last { $0.manner == manner }
    }

    private func value(_ manner: StatedPreference.Manner) -> String? {
        preference(manner)?.value
    }

    /// The fixed words before the answer; empty if there are none. They are always the same,
    /// because a small model that has seen several forms of one beginning learns none of them.
    package var greeting: String {
        var parts: [String] = []
        if let opening = value(.opening) { parts.append(opening) }
        if let emoji = value(.emoji), emoji != StatedPreference.none { parts.append(Self.emoji) }
        if let name = value(.address),
            !PreferenceCheck.plain(parts.joined()).contains(name.lowercased())
        {
            parts.append("\(name),")
        }
        return parts.joined(separator: " ")
    }

    /// The first words of the answer itself, from which the model continues, without a space at
    /// their end; empty if the model begins by itself.
    package var beginning: String {
        if topic == .code, let language = value(.codeLanguage) {
            return "```\(language.lowercased())\n"
        }
        switch value(.layout) {
        case "bullets": return "-"
        case "numbered": return "1."
        default: return ""
        }
    }

    /// Puts the greeting before `answer`.
    package func greeted(_ answer: String) -> String {
        guard !greeting.isEmpty else { return answer }
        if !beginning.isEmpty || answer.hasPrefix("```") { return greeting + "\n\n" + answer }
        guard greeting.hasSuffix(","),
            let word = answer.split(whereSeparator: { !$0.isLetter }).first,
            answer.hasPrefix(word), Self.lowered.contains(word.lowercased())
        else { return greeting + " " + answer }
        return greeting + " " + word.lowercased() + answer.dropFirst(word.count)
    }

    /// Words that are not names and lose their capital after a comma.
    private static let lowered: Set<String> = [
        "the", "a", "an", "it", "its", "you", "your", "to", "there", "this", "that", "these", "if",
        "when", "in", "here", "yes", "no", "of", "some", "they", "we", "as", "for", "how", "one",
    ]
    private static let emoji = "😊"

    /// Whether `answer` follows a preference; nil if only a reader can tell. Fixed words do not
    /// count towards its length.
    package func shows(_ preference: StatedPreference, in answer: String) -> Bool? {
        var text = answer
        if preference.manner == .length {
            if text.hasPrefix(greeting) { text.removeFirst(greeting.count) }
            if let closing = value(.closing), closing != StatedPreference.question,
                text.hasSuffix(closing)
            {
                text.removeLast(closing.count)
            }
        }
        return PreferenceCheck.shows(preference, answer: text, topic: topic)
    }

    /// A reply without the fixed words of preferences that no longer hold.
    package static func without(_ former: [StatedPreference], in reply: String) -> String {
        var text = reply
        for preference in former {
            guard let value = preference.value, !value.isEmpty else { continue }
            switch preference.manner {
            case .opening, .address:
                let said = preference.manner == .address ? value + "," : value
                guard let range = text.range(of: said, options: [.anchored, .caseInsensitive])
                else { continue }
                let rest = text[range.upperBound...].drop { !$0.isLetter && !$0.isNumber }
                text = rest.prefix(1).uppercased() + rest.dropFirst()
            case .closing where value != StatedPreference.question:
                guard
                    let range = text.range(
                        of: value, options: [.anchored, .backwards, .caseInsensitive])
                else { continue }
                text = text[..<range.lowerBound].trimmingCharacters(in: .whitespacesAndNewlines)
            default: continue
            }
        }
        return text.isEmpty ? reply : text
    }

    /// Changes a reply of the log so that it follows the preferences, without changing its content.
    /// Nil if cuts, conversions and added words are not enough.
    package func following(_ reply: String) -> String? {
        guard beginning.isEmpty, let body = body(reply, isCut: false),
            continuation(of: body) == nil
        else { return nil }
        return finished(greeted(body))
    }

    /// Words that lead the model to the content or the ending that a preference asks for; nil if
    /// nothing is missing. Of its continuation, one sentence is kept.
    package func continuation(of answer: String) -> String? {
        if value(.closing) == StatedPreference.question, !answer.hasSuffix("?") {
            return "Would you like"
        }
        guard let content = preference(.content)?.statement.lowercased() else { return nil }
        let leads = [
            ("example", "For example,"), ("summary", "In short,"), ("next step", "As a next step,"),
            ("tip", "One tip:"), ("fun fact", "A fun fact:"), ("reason", "The reason is that"),
        ]
        guard let lead = leads.first(where: { content.contains($0.0) })?.1,
            !answer.lowercased().contains(lead.lowercased().filter { $0 != "," })
        else { return nil }
        return lead
    }

    /// Whether an answer needs a proper end, so that a cut one is not enough.
    package var needsEnd: Bool {
        value(.closing) != nil || preference(.content) != nil || isShort
    }

    /// Whether all preferences concern the beginning of an answer.
    package var isOnlyGreeted: Bool {
        preferences.allSatisfy { [.opening, .address, .emoji].contains($0.manner) }
    }

    private var isShort: Bool { preference(.length).flatMap(PreferenceCheck.limit) != nil }

    /// The part to keep of the model's text after `beginning`.
    ///
    /// - Parameters:
    ///   - text: the model's text.
    ///   - isCut: whether the text stopped at the token limit.
    /// - Returns: the part to keep; nil if too little is left.
    package func body(_ text: String, isCut: Bool) -> String? {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        if topic == .code, value(.codeLanguage) != nil {
            return code(text, isCut: isCut)
        }
        if let layout = value(.layout), layout == "bullets" || layout == "numbered" {
            return list(text, isCut: isCut)
        }
        if let limit = preference(.length).flatMap(PreferenceCheck.limit) {
            return short(text, limit: limit, isCut: isCut)
        }
        guard needsEnd else { return text }
        // Something is added at the end, so the answer must be about to end there.
        var sentences = PreferenceCheck.sentences(in: text)
        if isCut { sentences.removeLast() }
        sentences = Array(
            sentences.prefix { !Self.listing.matches($0) }
                .prefix(3))
        return sentences.isEmpty ? nil : sentences.joined(separator: " ")
    }

    /// The mark of a list item, or the beginning of a list, which is not a sentence.
    private static let listing = TextPattern(#"^\W*\d*[.)]?$|^[-*•]|^\d+[.)]|:$"#)

    private func short(_ text: String, limit: (sentences: Int, words: Int), isCut: Bool) -> String?
    {
        var sentences = PreferenceCheck.sentences(in: text)
        if isCut { sentences.removeLast() }
        var kept: [String] = []
        for sentence in sentences.prefix(limit.sentences) {
            let isWhole = sentence.last.map { ".!?".contains($0) } ?? false
            guard isWhole,
                kept.reduce(0, { $0 + PreferenceCheck.words($1) }) + PreferenceCheck.words(sentence)
                    <= limit.words
            else { break }
            kept.append(sentence)
        }
        let answer = kept.joined(separator: " ")
        return PreferenceCheck.words(answer) >= 4 ? answer : nil
    }

    private func list(_ text: String, isCut: Bool) -> String? {
        let mark =
            value(.layout) == "bullets" ? PreferenceCheck.bullet : PreferenceCheck.number
        var lines = text.split(whereSeparator: \.isNewline).map(String.init)
        if isCut, lines.count > 1 { lines.removeLast() }
        // The first item lacks its mark, which the prompt contains. The list ends at the first line
        // without one.
        let items = lines.dropFirst().prefix { mark.matches($0) }.prefix(4)
        guard let first = lines.first, !items.isEmpty else { return nil }
        var kept = [first] + items
        if value(.layout) == "bullets" {
            // One mark is enough.
            kept = kept.map {
                $0.replacingOccurrences(
                    of: #"^(\s*[-*•])?\s*\d+[.)](?=\s|$)"#, with: "$1", options: .regularExpression)
            }
        }
        guard kept.allSatisfy({ $0.contains(where: \.isLetter) }) else { return nil }
        return kept.joined(separator: "\n").trimmingCharacters(in: .whitespaces)
    }

    private func code(_ text: String, isCut: Bool) -> String? {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if let end = lines.firstIndex(where: { $0.hasPrefix("```") }) {
            lines = Array(lines[..<end])
        } else if isCut {
            return text
        }
        while lines.last?.trimmingCharacters(in: .whitespaces).isEmpty == true {
            lines.removeLast()
        }
        guard lines.contains(where: { $0.contains { $0.isLetter } }) else { return nil }
        return lines.joined(separator: "\n") + "\n```"
    }

    /// Adds the fixed words to an answer; nil if it still does not follow a preference.
    package func finished(_ answer: String) -> String? {
        var answer = value(.units) == "metric" ? UnitConversion.metric(answer) : answer
        if let emoji = value(.emoji) {
            let without = String(
                String.UnicodeScalarView(
                    answer.unicodeScalars.filter {
                        !PreferenceCheck.isEmoji($0) && $0.value != 0xFE0F
                    }))
            if emoji == StatedPreference.none {
                answer = without.trimmingCharacters(in: .whitespaces)
            }
        }
        if let closing = value(.closing), closing != StatedPreference.question,
            !PreferenceCheck.plain(answer).hasSuffix(PreferenceCheck.plain(closing))
        {
            answer += (answer.contains("\n") ? "\n\n" : " ") + closing
        }
        return preferences.allSatisfy { shows($0, in: answer) ?? true } ? answer : nil
    }
}
