import Foundation

/// The words that texts and questions are searched by.
///
/// Both sides pass through the same steps: letters and digits only, identifiers cut into their
/// parts (`parseHTTPHeader` → parse, HTTP, header, and the whole), Chinese and Japanese cut into
/// pairs of characters, and irregular forms brought back to their base (went → go), which a
/// stemmer cannot do. `term` then folds accents and stems.
package enum SearchWords {
    /// The words of a text, in order, lower-case.
    package static func words(in text: String) -> [String] {
        var words: [String] = []
        for run in runs(in: text) {
            if run.isIdeographic {
                words += pairs(of: run.text)
                continue
            }
            let parts = identifierParts(of: run.text)
            if parts.count > 1 { words += parts.map { canonical($0.lowercased()) } }
            words.append(canonical(run.text.lowercased()))
        }
        return words
    }

    /// The telling words of a question, each once. Words such as “the” are left out, unless
    /// nothing else is there.
    package static func queryWords(in question: String) -> [String] {
        let all = words(in: question)
        var seen: Set<String> = []
        let unique = all.filter { seen.insert($0).inserted }
        let telling = unique.filter { !EnglishWords.stopWords.contains($0) }
        return telling.isEmpty ? unique : telling
    }

    /// The base form of an irregular English word, such as `write` for `wrote`; other words as they are.
    package static func canonical(_ word: String) -> String { EnglishWords.baseForms[word] ?? word }

    private struct Run {
        var text: String
        var isIdeographic: Bool
    }

    /// Stretches of letters, digits and marks; ideographic ones apart from the others.
    private static func runs(in text: String) -> [Run] {
        var runs: [Run] = []
        var current = String.UnicodeScalarView()
        var currentIsIdeographic = false
        func flush() {
            if !current.isEmpty {
                runs.append(Run(text: String(current), isIdeographic: currentIsIdeographic))
            }
            current = String.UnicodeScalarView()
        }
        var previous: Unicode.Scalar = " "
        let scalars = Array(text.unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            defer { previous = scalar }
            if isApostrophe(scalar), previous.properties.isAlphabetic, index + 1 < scalars.count,
                scalars[index + 1].properties.isAlphabetic
            {
                // “don't” is searched as “don” and “t”, which is what a stop list knows.
                flush()
                continue
            }
            guard isWordScalar(scalar) else {
                flush()
                continue
            }
            let ideographic = isIdeographic(scalar)
            if ideographic != currentIsIdeographic { flush() }
            currentIsIdeographic = ideographic
            current.append(scalar)
        }
        flush()
        return runs
    }

    private static func isApostrophe(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "'" || scalar == "\u{2019}"
    }

    private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            return (0x30...0x39).contains(scalar.value) || (0x41...0x5A).contains(scalar.value)
                || (0x61...0x7A).contains(scalar.value)
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .decimalNumber, .nonspacingMark, .spacingMark:
            return true
        default: return false
        }
    }

    /// Han, kana and Hangul, which write words without blanks or glue particles to them.
    private static func isIdeographic(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x3040...0x30FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0x20000...0x3134F:
            true
        default: false
        }
    }

    private static func pairs(of text: String) -> [String] {
        let characters = Array(text)
        guard characters.count > 1 else { return [text] }
        return (0..<characters.count - 1).map { String(characters[$0...$0 + 1]) }
    }

    /// `parseHTTPHeader2` → parse, HTTP, Header, 2; one part where there is nothing to cut.
    private static func identifierParts(of word: String) -> [String] {
        if let parts = asciiParts(of: word) { return parts }
        var parts: [String] = []
        var part = ""
        let characters = Array(word)
        for (index, character) in characters.enumerated() {
            if let last = part.last {
                let next = index + 1 < characters.count ? characters[index + 1] : nil
                let startsPart =
                    (character.isUppercase && last.isLowercase)
                    || (character.isUppercase && last.isUppercase && next?.isLowercase == true
                        && part.count > 1)
                    || (character.isNumber != last.isNumber)
                if startsPart {
                    parts.append(part)
                    part = ""
                }
            }
            part.append(character)
        }
        if !part.isEmpty { parts.append(part) }
        return parts
    }

    /// The same for a word of ASCII letters and digits, as most are; nil for others.
    private static func asciiParts(of word: String) -> [String]? {
        func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }
        func isLower(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        let bytes = Array(word.utf8)
        guard bytes.allSatisfy({ $0 < 0x80 }) else { return nil }
        var parts: [String] = []
        var start = 0
        for index in bytes.indices.dropFirst() {
            let (last, byte) = (bytes[index - 1], bytes[index])
            let nextIsLower = index + 1 < bytes.count && isLower(bytes[index + 1])
            let startsPart =
                (isUpper(byte) && isLower(last))
                || (isUpper(byte) && isUpper(last) && nextIsLower && index - start > 1)
                || (isDigit(byte) != isDigit(last))
            if startsPart {
                parts.append(String(decoding: bytes[start..<index], as: UTF8.self))
                start = index
            }
        }
        if start == 0 { return bytes.isEmpty ? [] : [word] }
        return parts + [String(decoding: bytes[start...], as: UTF8.self)]
    }
}
