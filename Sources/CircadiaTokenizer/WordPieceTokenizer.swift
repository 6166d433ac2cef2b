import Foundation

/// WordPiece of BERT's uncased models, as the sentence embedder reads text.
public final class WordPieceTokenizer: Sendable {
    private let ids: [String: Int32]
    private let classToken, separator, unknown: Int32

    /// Reads `tokenizer.json` in `directory`.
    public init(directory: URL) throws(TokenizerError) {
        let url = directory.appendingPathComponent("tokenizer.json")
        guard let data = try? Data(contentsOf: url) else {
            throw .unreadable(path: url.path, reason: "it is missing or may not be read")
        }
        let json = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any]
        guard let model = json?["model"] as? [String: Any], let table = model["vocab"] as? [String: Int]
        else { throw .missingField(path: url.path, field: "model.vocab") }
        ids = table.mapValues { Int32($0) }
        guard let c = ids["[CLS]"], let s = ids["[SEP]"], let u = ids["[UNK]"] else {
            throw .missingField(path: url.path, field: "[CLS], [SEP] or [UNK]")
        }
        (classToken, separator, unknown) = (c, s, u)
    }

    /// `[CLS]`, the pieces of the text cut to `maxTokens` in all, `[SEP]`.
    public func encode(_ text: String, maxTokens: Int = 256) -> [Int32] {
        var out = [classToken]
        for word in Self.words(text) {
            out += pieces(word)
            if out.count >= maxTokens { break }
        }
        return out.prefix(maxTokens - 1) + [separator]
    }

    private func pieces(_ word: [Unicode.Scalar]) -> [Int32] {
        guard word.count <= 100 else { return [unknown] }
        var out: [Int32] = []
        var start = 0
        while start < word.count {
            var end = word.count
            var found: Int32?
            while end > start, found == nil {
                var text = start > 0 ? "##" : ""
                text.unicodeScalars.append(contentsOf: word[start..<end])
                found = ids[text]
                if found == nil { end -= 1 }
            }
            guard let found else { return [unknown] }
            out.append(found)
            start = end
        }
        return out
    }

    static func words(_ text: String) -> [[Unicode.Scalar]] {
        var words: [[Unicode.Scalar]] = []
        var word: [Unicode.Scalar] = []
        func flush() {
            if !word.isEmpty { words.append(word) }
            word = []
        }
        for scalar in text.decomposedStringWithCanonicalMapping.lowercased().unicodeScalars {
            let category = scalar.properties.generalCategory
            if scalar.properties.isWhitespace {
                flush()
            } else if category == .nonspacingMark || category == .control || category == .format
                || scalar.value == 0xFFFD || scalar.value == 0
            {
                continue
            } else if isPunctuation(scalar) || isIdeograph(scalar) {
                flush()
                words.append([scalar])
            } else {
                word.append(scalar)
            }
        }
        flush()
        return words
    }

    static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            return (33...47).contains(scalar.value) || (58...64).contains(scalar.value)
                || (91...96).contains(scalar.value) || (123...126).contains(scalar.value)
        }
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
            .initialPunctuation, .finalPunctuation, .otherPunctuation:
            return true
        default: return false
        }
    }

    static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F,
            0x2B740...0x2B81F, 0x2B820...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            return true
        default: return false
        }
    }
}
