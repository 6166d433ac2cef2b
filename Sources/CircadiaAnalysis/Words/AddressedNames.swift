/// The names by which the speakers of a chat address each other.
///
/// “Thanks, Anna!” said by the assistant tells that the user is Anna: a question about Anna is then
/// about what the user said. Only forms that hardly anything but a name takes are counted.
package enum AddressedNames {
    /// The terms of the names that a message addresses, each once.
    ///
    /// A capitalised word counts that stands after a greeting (“Hey Anna,”), or after a comma at the
    /// end of a sentence (“see you, Anna.”).
    package static func terms(in text: String) -> Set<String> {
        var names: Set<String> = []
        let scalars = Array(text.unicodeScalars)
        var index = 0
        var before: (word: Range<Int>, hasComma: Bool) = (0..<0, false)
        while index < scalars.count {
            guard isAlphabetic(scalars[index]) else {
                switch scalars[index] {
                case ",": before.hasComma = true
                case " ": break
                default: before = (0..<0, false)
                }
                index += 1
                continue
            }
            let start = index
            while index < scalars.count, isAlphabetic(scalars[index]) { index += 1 }
            let range = start..<index
            if isName(scalars[range]) {
                let greeted = greetings.contains(lowercased(scalars[before.word]))
                if before.hasComma || greeted, ends(scalars, at: index, orGoesOn: greeted) {
                    names.insert(
                        SearchWords.term(SearchWords.canonical(lowercased(scalars[range]))))
                }
            }
            before = (range, false)
        }
        return names
    }

    private static func isAlphabetic(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x61...0x7A).contains(scalar.value | 0x20) }
        return scalar.properties.isAlphabetic
    }

    private static func lowercased(_ word: ArraySlice<Unicode.Scalar>) -> String {
        String(String.UnicodeScalarView(word)).lowercased()
    }

    /// One capital, then small letters.
    private static func isName(_ word: ArraySlice<Unicode.Scalar>) -> Bool {
        guard let first = word.first, word.count > 1 else { return false }
        return first.properties.isUppercase
            && word.dropFirst().allSatisfy { $0.properties.isLowercase }
    }

    /// Whether the sentence ends here; a comma is enough after a greeting.
    private static func ends(
        _ scalars: [Unicode.Scalar], at index: Int, orGoesOn allowsComma: Bool
    ) -> Bool {
        guard let next = scalars[index...].first(where: { $0 != " " }) else { return true }
        return ".!?\n".unicodeScalars.contains(next) || (allowsComma && next == ",")
    }

    private static let greetings: Set<String> = [
        "hey", "hi", "hello", "thanks", "you", "dear", "congrats", "congratulations", "bye",
        "morning", "night", "goodnight", "wow", "yeah", "yes", "no", "oh", "sorry", "luck",
        "welcome",
    ]
}
