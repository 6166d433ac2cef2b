import Foundation

/// Decides whether a paraphrase that the model wrote may be trained on.
///
/// A paraphrase is worth training on if it asks the same thing in other words. The model is small
/// and often fails, so every paraphrase is checked, and refusals are counted by reason.
package enum ParaphraseCheck {
    /// Why a paraphrase was refused.
    package enum Refusal: String, Sendable, CaseIterable, Codable {
        /// The text is empty or has several paragraphs.
        case shape
        /// It has less than 0.4 or more than 2.5 times the length of the original.
        case length
        /// It has almost the same words as the original.
        case copy
        /// A number, link or quoted identifier of the original is missing.
        case factLost = "fact_lost"
        /// The text repeats itself.
        case repetition
        /// The model speaks about the task instead of doing it.
        case meta
        /// It has no word in common with the original.
        case unrelated
    }

    /// Why `paraphrase` may not stand for `original`; nil if it may.
    package static func refusal(of paraphrase: String, for original: String) -> Refusal? {
        let text = paraphrase.trimmingCharacters(in: .whitespacesAndNewlines)
        if text.isEmpty || text.contains("\n\n") || text.contains("<|") { return .shape }
        let ratio = Double(text.count) / Double(max(1, original.count))
        if ratio < 0.4 || ratio > 2.5 { return .length }
        let lowered = text.lowercased()
        let metaPhrases = [
            "rewrite", "rewritten", "paraphrase", "as an ai", "in other words", "the message",
            "original message", "here is", "here's a",
        ]
        let originalLowered = original.lowercased()
        if metaPhrases.contains(where: { lowered.contains($0) && !originalLowered.contains($0) }) {
            return .meta
        }
        for fact in facts(in: original) where !text.contains(fact) { return .factLost }
        let words = words(of: text)
        if repeats(words) { return .repetition }
        let first = Set(words)
        let second = Set(Self.words(of: original))
        let overlap =
            Double(first.intersection(second).count) / Double(max(1, first.union(second).count))
        if overlap > 0.85 { return .copy }
        if first.isDisjoint(with: second.filter { $0.count > 3 }) { return .unrelated }
        return nil
    }

    /// Digits, links and `quoted identifiers` that a paraphrase has to keep.
    package static func facts(in text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init).filter { word in
            word.contains("://") || word.hasPrefix("`") || word.contains(where: \.isNumber)
        }.map { $0.trimmingCharacters(in: CharacterSet(charactersIn: ".,;:!?()\"'")) }
    }

    static func words(of text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    /// Whether any four successive words appear three times or more.
    package static func repeats(_ words: [String]) -> Bool {
        guard words.count >= 8 else { return false }
        var seen: [ArraySlice<String>: Int] = [:]
        for start in 0...(words.count - 4) {
            let count = (seen[words[start..<start + 4]] ?? 0) + 1
            if count > 2 { return true }
            seen[words[start..<start + 4]] = count
        }
        return false
    }
}
