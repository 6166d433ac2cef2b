/// Finds addresses of the web in text.
package enum LinkDetector {
    private static let pattern = TextPattern(
        #"\b(?:https?|ftps?|ssh|git|file|s3|wss?)://[^\s<>"']+"#,
        #"\bwww\.[a-z0-9-]+\.[a-z]{2,}\S*"#,
        // A bare domain counts with a path, or with an ending that is no file name or word.
        #"(?<![@\w.-])(?:[a-z0-9-]+\.)+[a-z]{2,24}/[^\s<>"']+"#,
        #"(?<![@\w.-])(?:[a-z0-9-]{2,}\.)+(?:com|org|edu|gov|dev)\b(?!\.\w)"#,
        ignoringCase: true)

    /// How many links there are.
    package static func count(in text: String) -> Int {
        mayHaveLink(text) ? pattern.count(in: text) : 0
    }

    /// Whether a dot stands before something that is no blank, as in no sentence, or a scheme's colon is there.
    private static func mayHaveLink(_ text: String) -> Bool {
        let blanks: [UInt8] = [0x20, 0x0A, 0x0D, 0x09]
        var isAfterDot = false
        for byte in text.utf8 {
            if isAfterDot, !blanks.contains(byte), byte != UInt8(ascii: ".") { return true }
            isAfterDot = byte == UInt8(ascii: ".")
        }
        return text.contains("://")
    }
}

/// Finds JSON and what looks like it: Python dictionaries, JavaScript objects, lists of numbers.
package enum JSONDetector {
    private static let pattern = TextPattern(
        // An object's first key, quoted.
        #"\{\s*["'][^"'\n]{0,80}["']\s*:"#,
        // A quoted key and a value, as in a piece cut from an object.
        #"(?:^|[,{])\s*"[\w .-]{1,80}"\s*:\s*(?:"|-?\d|\[|\{|true\b|false\b|null\b)"#,
        // An object with bare keys.
        #"\{\s*[A-Za-z_$][\w$]*\s*:\s*[^{}\n]+,\s*[A-Za-z_$][\w$]*\s*:[^{}]*\}"#,
        // Lists: of objects, of three or more numbers, of two or more quoted texts.
        #"\[\s*\{"#,
        #"\[\s*-?\d+(?:\.\d+)?(?:\s*,\s*-?\d+(?:\.\d+)?){2,}\s*\]"#,
        #"\[\s*(["'])[^"'\n]*\1(?:\s*,\s*(["'])[^"'\n]*\2)+\s*\]"#,
        // Empty ones given as a value.
        #"[=:]\s*(?:\{\}|\[\])"#)

    /// Whether there is any.
    package static func isPresent(in text: String) -> Bool {
        let mayBe = text.utf8.contains {
            $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "\"")
        }
        return mayBe && pattern.matches(text)
    }
}
