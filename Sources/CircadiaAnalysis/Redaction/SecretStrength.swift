import Foundation

/// How a text is made: what tells a drawn value from words, names and numbers.
package struct SecretStrength {
    let length: Int
    let capitals: Int
    let smallLetters: Int
    let digits: Int
    let marks: Int
    /// Shannon's entropy of the characters, bits each.
    package let entropy: Double
    private let text: String

    init(_ text: String) {
        self.text = text
        var counts: [Unicode.Scalar: Int] = [:]
        var (capitals, smallLetters, digits) = (0, 0, 0)
        for scalar in text.unicodeScalars {
            counts[scalar, default: 0] += 1
            switch scalar {
            case "0"..."9": digits += 1
            case "A"..."Z": capitals += 1
            case "a"..."z": smallLetters += 1
            default:
                if scalar.properties.isUppercase {
                    capitals += 1
                } else if scalar.properties.isAlphabetic {
                    smallLetters += 1
                }
            }
        }
        let length = text.unicodeScalars.count
        self.length = length
        self.capitals = capitals
        self.smallLetters = smallLetters
        self.digits = digits
        marks = length - capitals - smallLetters - digits
        entropy = counts.values.reduce(0) { sum, count in
            let share = Double(count) / Double(length)
            return sum - share * log2(share)
        }
    }

    var letters: Int { capitals + smallLetters }

    /// Capitals, small letters and digits in plenty, as only drawn text has them.
    package var isThoroughlyMixed: Bool {
        capitals >= 4 && smallLetters >= 4 && digits >= 2 && entropy >= 3.6
    }

    /// Whether it could have been drawn: long, with digits among letters, hardly repetitive, and
    /// not words and numbers joined by marks.
    package var isOpaque: Bool {
        length >= 16 && digits >= 2 && letters >= 2 && entropy >= 2.8 && !isWords
    }

    /// Whether every part between marks is a word or a short number: `my-service-2024`.
    package var isWords: Bool {
        text.split { !$0.isLetter && !$0.isNumber }.allSatisfy { part in
            if part.allSatisfy(\.isNumber) { return part.count <= 8 }
            let letters = part.drop { $0.isNumber }.prefix { $0.isLetter }
            let tail = part.reversed().prefix { $0.isNumber }.count
            guard letters.count + tail == part.count, tail <= 4 else { return false }
            // A word has one way of writing; “kJwQpX” has several.
            let isOneCase =
                letters.dropFirst().allSatisfy(\.isLowercase)
                || letters.allSatisfy(\.isUppercase)
            return isOneCase && letters.count <= 14
        }
    }
}

/// What people write in the place of a secret.
package enum Placeholder {
    private static let pattern = SecretPattern(
        #"example|your[_ -]?|placeholder|change_?me|redacted|dummy|insert|replace|xxxx|\*\*\*|•|"#
            + #"\.\.\.|…|^[<${\[(]|^%[\w(]+[)%]s?$|\$\{|\{\{|<[a-z_ -]+>|^(.)\1+$|^0?123456789|abcdefgh"#,
        ignoringCase: true)

    /// Words that stand where a value would be: types, nothing, or the label once more.
    private static let words: Set<String> = [
        "password", "passwort", "kennwort", "passwd", "pass", "pwd", "secret", "token", "string",
        "str", "text", "null", "none", "nil", "undefined", "true", "false", "required", "optional",
        "user", "username", "hidden", "empty", "todo", "tbd", "default", "value", "bearer", "basic",
        "api_key", "apikey", "credentials", "login", "admin", "include", "enabled", "disabled",
    ]

    static func isPresent(in value: String) -> Bool {
        words.contains(value.lowercased()) || !pattern.matches(in: value as NSString).isEmpty
    }
}
