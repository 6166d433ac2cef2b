/// Cuts English words to their stems: Porter, “An algorithm for suffix stripping” (1980).
///
/// Stems only have to be the same for the forms of a word; they need not be words.
package struct PorterStemmer {
    /// The word, lower-case ASCII letters; `word[..<end]` is what is left of it.
    private var word: [UInt8]
    private var end: Int

    /// The stem of a word; words of other than the letters a to z are their own.
    package static func stem(_ word: String) -> String {
        let bytes = Array(word.utf8)
        guard bytes.count > 2, bytes.allSatisfy({ (0x61...0x7A).contains($0) }) else { return word }
        var stemmer = PorterStemmer(word: bytes, end: bytes.count)
        stemmer.run()
        return String(decoding: stemmer.word[..<stemmer.end], as: UTF8.self)
    }

    private mutating func run() {
        stripPlural()
        stripPastAndGerund()
        if ends("y"), hasVowel(before: end - 1) { word[end - 1] = UInt8(ascii: "i") }
        replaceFirst(of: Self.doubleSuffixes, measureAbove: 0)
        replaceFirst(of: Self.lightSuffixes, measureAbove: 0)
        stripLongSuffix()
        stripFinalE()
        if ends("ll"), measure(before: end) > 1 { end -= 1 }
    }

    // MARK: Steps

    private mutating func stripPlural() {
        if ends("sses") || ends("ies") {
            end -= 2
        } else if ends("s"), !ends("ss") {
            end -= 1
        }
    }

    private mutating func stripPastAndGerund() {
        if ends("eed") {
            if measure(before: end - 3) > 0 { end -= 1 }
            return
        }
        let suffix = ends("ed") ? 2 : ends("ing") ? 3 : 0
        guard suffix > 0, hasVowel(before: end - suffix) else { return }
        end -= suffix
        if ends("at") || ends("bl") || ends("iz") {
            append("e")
        } else if endsInDoubleConsonant, !ends("l"), !ends("s"), !ends("z") {
            end -= 1
        } else if measure(before: end) == 1, endsInShortSyllable(at: end) {
            append("e")
        }
    }

    /// `ational` → `ate` and the like, then `icate` → `ic`: the first suffix that fits decides.
    private mutating func replaceFirst(
        of suffixes: [(StaticString, StaticString)], measureAbove least: Int
    ) {
        for (suffix, replacement) in suffixes where ends(suffix) {
            let start = end - suffix.utf8CodeUnitCount
            if measure(before: start) > least {
                end = start
                append(replacement)
            }
            return
        }
    }

    private mutating func stripLongSuffix() {
        for suffix in Self.longSuffixes where ends(suffix) {
            let start = end - suffix.utf8CodeUnitCount
            if measure(before: start) > 1 { end = start }
            return
        }
        if ends("sion") || ends("tion"), measure(before: end - 3) > 1 { end -= 3 }
    }

    private mutating func stripFinalE() {
        guard ends("e") else { return }
        let count = measure(before: end - 1)
        if count > 1 || (count == 1 && !endsInShortSyllable(at: end - 1)) { end -= 1 }
    }

    private static let doubleSuffixes: [(StaticString, StaticString)] = [
        ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"),
        ("izer", "ize"), ("bli", "ble"), ("alli", "al"), ("entli", "ent"), ("eli", "e"),
        ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"), ("ator", "ate"),
        ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"),
        ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"), ("logi", "log"),
    ]
    private static let lightSuffixes: [(StaticString, StaticString)] = [
        ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"),
        ("ful", ""), ("ness", ""),
    ]
    private static let longSuffixes: [StaticString] = [
        "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ou",
        "ism", "ate", "iti", "ous", "ive", "ize",
    ]

    // MARK: Shapes of words

    private func ends(_ suffix: StaticString) -> Bool {
        let count = suffix.utf8CodeUnitCount
        guard count <= end else { return false }
        return suffix.withUTF8Buffer { word[(end - count)..<end].elementsEqual($0) }
    }

    private mutating func append(_ suffix: StaticString) {
        suffix.withUTF8Buffer { word.replaceSubrange(end..., with: $0) }
        end = word.count
    }

    private func isConsonant(_ index: Int) -> Bool {
        switch word[index] {
        case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"),
            UInt8(ascii: "u"):
            false
        case UInt8(ascii: "y"): index == 0 || !isConsonant(index - 1)
        default: true
        }
    }

    /// How often a vowel is followed by a consonant in `word[..<limit]`.
    private func measure(before limit: Int) -> Int {
        var count = 0
        var previousIsVowel = false
        for index in 0..<max(0, limit) {
            let isVowel = !isConsonant(index)
            if previousIsVowel && !isVowel { count += 1 }
            previousIsVowel = isVowel
        }
        return count
    }

    private func hasVowel(before limit: Int) -> Bool {
        (0..<max(0, limit)).contains { !isConsonant($0) }
    }

    private var endsInDoubleConsonant: Bool {
        end > 1 && word[end - 1] == word[end - 2] && isConsonant(end - 1)
    }

    /// Consonant, vowel, consonant other than w, x and y: hop, not snow.
    private func endsInShortSyllable(at limit: Int) -> Bool {
        guard limit > 2, isConsonant(limit - 1), !isConsonant(limit - 2), isConsonant(limit - 3)
        else { return false }
        return ![UInt8(ascii: "w"), UInt8(ascii: "x"), UInt8(ascii: "y")].contains(word[limit - 1])
    }
}
