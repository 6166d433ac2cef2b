import CircadiaAnalysis
import Foundation

/// Checks whether an answer follows a stated preference.
package enum PreferenceCheck {
    /// Whether `answer`, to a question of `topic`, follows `preference`; nil if only a reader can
    /// tell.
    package static func shows(
        _ preference: StatedPreference, answer: String, topic: PreferenceQuestion.Topic = .general
    ) -> Bool? {
        let text = answer.trimmingCharacters(in: .whitespacesAndNewlines)
        let value = preference.value ?? ""
        switch preference.manner {
        case .opening: return plain(text).hasPrefix(plain(value))
        case .closing:
            return value == StatedPreference.question
                ? text.hasSuffix("?") : plain(text).hasSuffix(plain(value))
        case .address: return " \(plain(text)) ".contains(" \(plain(value)) ")
        case .length:
            guard let limit = limit(of: preference) else { return nil }
            return sentences(in: text).count <= limit.sentences && words(text) <= limit.words
        case .layout:
            let bullets = lines(in: text, matching: bullet)
            let numbered = lines(in: text, matching: number)
            switch value {
            case "bullets": return bullets >= 2
            case "numbered": return numbered >= 2
            case StatedPreference.none, "prose": return bullets + numbered == 0
            default: return nil
            }
        case .units:
            let metric = metricUnits.matches(text)
            let imperial = imperialUnits.matches(text)
            let (wanted, other) = value == "imperial" ? (imperial, metric) : (metric, imperial)
            return !other && (wanted || topic != .measures)
        case .codeLanguage:
            return topic != .code || text.lowercased().contains("```\(value.lowercased())\n")
        case .emoji:
            let has = text.unicodeScalars.contains { isEmoji($0) }
            return has == (value != StatedPreference.none)
        case .language, .spelling, .tone, .content: return nil
        }
    }

    /// The limits of a preferred length; nil if the preference is for long answers.
    package static func limit(of preference: StatedPreference) -> (sentences: Int, words: Int)? {
        let parts = (preference.value ?? "").split(separator: " ")
        if parts.count == 2, let number = Int(parts[0]) {
            return parts[1] == "words" ? (Int.max, number) : (number, 25 * number)
        }
        return preference.value == "short" ? (2, 40) : nil
    }

    /// The sentences of a text, each with its final punctuation.
    package static func sentences(in text: String) -> [String] {
        var sentences: [String] = []
        var current = ""
        let characters = Array(text)
        for (index, character) in characters.enumerated() {
            current.append(character)
            let next = index + 1 < characters.count ? characters[index + 1] : "\n"
            let isEnd =
                character.isNewline
                || (".!?".contains(character) && next.isWhitespace && !isNumbering(current))
            guard isEnd else { continue }
            let sentence = current.trimmingCharacters(in: .whitespacesAndNewlines)
            if !sentence.isEmpty { sentences.append(sentence) }
            current = ""
        }
        let rest = current.trimmingCharacters(in: .whitespacesAndNewlines)
        return rest.isEmpty ? sentences : sentences + [rest]
    }

    /// Whether a text is the number of a list item, such as “1.”.
    private static func isNumbering(_ text: String) -> Bool {
        let bare = text.trimmingCharacters(in: .whitespaces)
        return bare.last == "." && bare.dropLast().allSatisfy(\.isNumber)
    }

    static func words(_ text: String) -> Int {
        text.split(whereSeparator: \.isWhitespace).count
    }

    static func isEmoji(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isEmojiPresentation || (0x1F300...0x1FAFF).contains(scalar.value)
            || (0x2600...0x27BF).contains(scalar.value)
    }

    /// The text in lower case, with letters and digits only and single spaces.
    package static func plain(_ text: String) -> String {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: " ")
    }

    private static func lines(in text: String, matching pattern: TextPattern) -> Int {
        text.split(whereSeparator: \.isNewline).count { pattern.matches(String($0)) }
    }

    /// The patterns of a bulleted and of a numbered list item.
    package static let bullet = TextPattern(#"^\s*[-*•]\s+\S"#)
    static let number = TextPattern(#"^\s*\d+[.)]\s+\S"#)
    private static let metricUnits = TextPattern(
        #"\d\s*-?\s*(?:(?:k|c|m)?m|k?g|m?l|km/h|°\s*c)\b"#,
        #"\b(?:kilo|centi|milli)?(?:met(?:re|er)|gram|lit(?:re|er))s?\b|\btonnes?\b|\bcelsius\b"#,
        ignoringCase: true)
    private static let imperialUnits = TextPattern(
        #"\b(?:miles?|mph|foot|feet|ft|inch(?:es)?|yards?|pounds?|lbs?|ounces?|oz|gallons?)\b"#,
        #"\b(?:fahrenheit|cups?)\b|°\s*f\b"#, ignoringCase: true)
}
