import Foundation

/// Values beside a word that says that they are secret: `api_key = "…"`, `my password is …`.
package enum NamedSecrets {
    // Every repetition has an upper bound: a pattern that can begin anywhere must not read on to the
    // end of a long text each time.

    /// The words. What stands before and behind one in the same identifier is part of the name.
    private static let passwordWords =
        #"password|passwd|passphrase|passwort|kennwort|mot de passe|contraseña|wachtwoord|senha"#
    private static let shortPasswordWords = #"pwd|pass|pw"#
    private static let tokenWords =
        #"token|secret|credentials?|(?:api|access|account|auth|app|client|service|private|secret|"#
        + #"signing|signature|encryption|master|admin|deploy|license|subscription|shared|session|webhook|"#
        + #"hook|jwt|storage)[ _-]?key|schlüssel|apikey|accountkey"#

    /// A name, quoted or not, an operator or a tag's end, and the value, quoted or not.
    ///
    /// The pattern begins with the word itself; what stands before it in the same name is looked up
    /// afterwards, which is much faster.
    private static let assignment = SecretPattern(
        #"(?<name>(?:"# + passwordWords + "|" + tokenWords + #")[\w-]{0,40}"#
            + #"|(?<![\p{L}\d])(?:"# + shortPasswordWords + #"|key)(?![\p{L}\d]))"#
            + #"(?:["'`]?\]?["'`]?)(?: ?(?<operator>=>|:=|=|:|→|->|>)\s?|(?<attribute>" value="))"#
            + value, ignoringCase: true)

    /// A name, perhaps what it is for, a verb or a comma, and the value.
    private static let sentence = SecretPattern(
        #"(?<![\p{L}\d])(?<name>"# + passwordWords + "|" + shortPasswordWords + "|" + tokenWords
            + #"|key)(?: (?:for|of|to|at|on|von|für|pour|de)(?: (?!is |ist |est |es )[\w-]{1,30}){1,3})?,?"#
            + #" (?<verb>is|was|lautet|ist|est|es|are|will be|to|now|:)(?: now| still|:)? "#
            + value,
        ignoringCase: true)

    /// `login anna, password …`, `login anna password …`: the value follows at once.
    private static let following = SecretPattern(
        #"\b(?<name>"# + passwordWords + #"|pw)[ \t]+"# + value, ignoringCase: true)

    /// `sshpass -p '…'`.
    private static let sshpass = SecretPattern(#"\bsshpass -p ?["']?(?<secret>[^\s"'$]{4,})"#)

    private static let value =
        #"(?:\"(?<double>[^"\n]{1,400})\"|'(?<single>[^'\n]{1,400})'|`(?<tick>[^`\n]{1,400})`|"#
        + #"(?<bare>[^\s"'`<>|]{4,400}))"#

    /// In every text with such a name, in lower case, is one of these.
    package static let hints = [
        "pass", "pw", "kennwort", "mot de", "contrase", "wachtwoord", "senha", "token", "secret",
        "credential", "key", "schlüssel",
    ]

    static func findings(in document: NSString) -> [SecretFinding] {
        found(assignment, .assignment, in: document) + found(sentence, .sentence, in: document)
            + found(following, .following, in: document)
            + sshpass.findings(.password, in: document) { !Placeholder.isPresent(in: $0) }
    }

    /// How name and value are joined; the looser, the more the value must show.
    private enum Form { case assignment, sentence, following }

    private static func found(
        _ pattern: SecretPattern, _ form: Form, in document: NSString
    ) -> [SecretFinding] {
        pattern.matches(in: document).compactMap { match in
            let nameRange =
                form == .assignment
                ? whole(match.range(withName: "name"), in: document) : match.range(withName: "name")
            let name = document.substring(with: nameRange)
            let whole = wordBefore(nameRange, in: document).map { $0 + " " + name } ?? name
            guard !SecretName.isHarmless(name), !SecretName.isHarmless(whole) else { return nil }
            var isQuoted = true
            var range = NSRange(location: NSNotFound, length: 0)
            for group in ["double", "single", "tick", "bare"]
            where range.location == NSNotFound {
                range = match.range(withName: group)
                isQuoted = group != "bare"
            }
            guard range.location != NSNotFound else { return nil }
            if !isQuoted {
                range = trimmed(range, after: nameRange, in: document)
            }
            var candidate = SecretCandidate(
                text: document.substring(with: range), isQuoted: isQuoted,
                isSentence: form != .assignment)
            let end = range.location + range.length
            candidate.next = end < document.length ? document.character(at: end) : 0
            if form == .assignment {
                // Code writes blanks around “=”, settings do not.
                let operation = match.range(withName: "operator")
                let sign =
                    operation.location == NSNotFound ? "=" : document.substring(with: operation)
                candidate.isSpacedAssignment =
                    operation.location != NSNotFound && sign.hasSuffix("=")
                    && document.character(at: operation.location - 1) == 0x20
                candidate.isSetting = sign == "=" && !candidate.isSpacedAssignment
                // What follows a tag reaches to the next one.
                if sign == ">" && candidate.next != UInt16(UInt8(ascii: "<")) { return nil }
            }
            let kind = SecretName.kind(of: name)
            let accepts =
                switch kind {
                case .password: candidate.isPassword || candidate.isToken
                default: candidate.isToken && (!SecretName.isBareKey(name) || candidate.isStrong)
                }
            return accepts ? SecretFinding(kind: kind, range: range) : nil
        }
    }

    /// The name with what stands before its word: “spring.datasource.password”.
    private static func whole(_ range: NSRange, in document: NSString) -> NSRange {
        var start = range.location
        while start > 0, range.location - start < 40,
            let scalar = Unicode.Scalar(document.character(at: start - 1)),
            scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || "_.$-".unicodeScalars.contains(scalar)
        {
            start -= 1
        }
        return NSRange(location: start, length: range.location + range.length - start)
    }

    /// The word that stands, with a blank, before a name: “public” of “public key”.
    private static func wordBefore(_ range: NSRange, in document: NSString) -> String? {
        var start = range.location - 1
        guard start >= 0, document.character(at: start) == 0x20 else { return nil }
        while start > 0, let scalar = Unicode.Scalar(document.character(at: start - 1)),
            scalar.properties.isAlphabetic, range.location - start < 24
        {
            start -= 1
        }
        let word = NSRange(location: start, length: range.location - 1 - start)
        return word.length > 0 ? document.substring(with: word) : nil
    }

    /// Cuts what belongs to the sentence or to the setting and not to the value.
    private static func trimmed(
        _ range: NSRange, after name: NSRange, in document: NSString
    ) -> NSRange {
        var text = document.substring(with: range) as NSString
        // In an address's query or a connection string the next setting follows.
        let before = name.location > 0 ? document.character(at: name.location - 1) : 0
        let stops = [0x3F, 0x26].contains(before) ? ";&" : ";"
        let stop = text.rangeOfCharacter(from: CharacterSet(charactersIn: stops))
        if stop.location != NSNotFound { text = text.substring(to: stop.location) as NSString }
        let comma = text.range(of: ",")
        if comma.location != NSNotFound, comma.location >= 4 {
            text = text.substring(to: comma.location) as NSString
        }
        var length = text.length
        while length > 0, ".,:;)]}?\\".utf16.contains(text.character(at: length - 1)) {
            length -= 1
        }
        return NSRange(location: range.location, length: length)
    }
}

/// The word that names a value.
package enum SecretName {
    /// Parts of a name after which the value is no secret: `token_count`, `private_key_path`.
    private static let harmless = SecretPattern(
        #"(?:^|[_.-])(?:public|pub|primary|foreign|cache|partition|sort|idempotency|site|csrf|pad|eos|"#
            + #"bos|unk|sep|max|min|num|n|has|use|is|hashed|total)[_ -]|"#
            + #"(?:name|path|file|dir|id|ids|url|uri|type|length|len|count|policy|hint|field|header|prefix|"#
            + #"suffix|strength|ref|label|expires?|expires?_?in|expiry|rotation|format|limit|budget|min|"#
            + #"max|source|provider|manager|reset|hash|hasher|digest|ring|endpoint|s_per_second|version|"#
            + #"placeholder|title|text|error|message|cost|usage|size|index|enabled|required|valid|"#
            + #"storage|store|generator|class|input|box|confirmation|algorithm)$|"#
            + #"^(?:tokens|passes|secrets|keys|tokenizer\w*|token_\w*id|secretary|secretion)$"#,
        ignoringCase: true)

    private static let password = SecretPattern(
        #"pass|pwd|kennwort|contraseña|wachtwoord|senha|^pw$|[_.-]pw$"#, ignoringCase: true)

    static func isHarmless(_ name: String) -> Bool {
        let document = name as NSString
        guard !harmless.matches(in: document).isEmpty else { return false }
        // These end in a harmless word, but name a secret.
        return !name.lowercased().hasSuffix("secret") && !name.lowercased().hasSuffix("passtext")
    }

    static func kind(of name: String) -> SecretKind {
        password.matches(in: name as NSString).isEmpty ? .token : .password
    }

    /// “key” alone says little: sort keys and object keys are called so too.
    package static func isBareKey(_ name: String) -> Bool {
        let word = name.lowercased().split { !$0.isLetter }.last ?? ""
        return word == "key" && name.count <= 4
    }
}

/// A value beside the name of a secret.
package struct SecretCandidate {
    let text: String
    let isQuoted: Bool
    let isSentence: Bool
    /// Whether the operator is a “=” with a blank before it, as code has it.
    package var isSpacedAssignment = false
    /// Whether the operator is a “=” without one, as settings and addresses have it.
    package var isSetting = false
    /// The UTF-16 unit behind the value.
    package var next: UInt16 = 0

    init(text: String, isQuoted: Bool, isSentence: Bool) {
        self.text = text
        self.isQuoted = isQuoted
        self.isSentence = isSentence
    }

    /// What code has in the place of a literal: a call, a member, a variable, a template, a path.
    private var isExpression: Bool {
        if text.hasPrefix("/") || text.hasPrefix("~/") || text.hasPrefix("./") { return true }
        if text.contains("://") || next == UInt16(UInt8(ascii: "(")) { return true }
        if isQuoted { return text.hasPrefix("$") || text.contains("${") || text.contains("{{") }
        if text.contains(where: { "(){}[]<>".contains($0) }) || text.hasPrefix("$")
            || text.hasPrefix("&") || text.hasPrefix("!") || text.hasPrefix("=")
        {
            return true
        }
        // Members: every part is a name, and names have digits only at their ends.
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count > 1 && parts.allSatisfy(Self.isName)
    }

    private static func isName(_ part: Substring) -> Bool {
        guard let first = part.first, first.isLetter || first == "_" else { return false }
        let body = part.dropLast(part.reversed().prefix { $0.isNumber }.count)
        return body.allSatisfy { $0.isLetter || $0 == "_" }
    }

    /// Whether it could be a token: opaque, long, and not what code or prose has there.
    package var isToken: Bool {
        !isExpression && !text.contains(" ") && SecretStrength(text).isOpaque
            && !Placeholder.isPresent(in: text)
            && text.unicodeScalars.allSatisfy { $0.isASCII }
    }

    /// Whether only a generator makes such texts, hashes and identifiers aside.
    package var isStrong: Bool {
        let strength = SecretStrength(text)
        return strength.isThoroughlyMixed && strength.length >= 20
    }

    /// Whether a person could have chosen it as a password.
    package var isPassword: Bool {
        let strength = SecretStrength(text)
        guard (6...128).contains(strength.length), !text.contains(" "), !isExpression,
            strength.letters > 0, !Placeholder.isPresent(in: text)
        else { return false }
        let hasMark = text.contains { "!#$%&*?@^+~=§".contains($0) }
        let isJoined = text.split { "-_".contains($0) }.count >= 4
        if strength.digits == 0 && !hasMark && !isJoined {
            // Letters alone: a literal of code or no word at all, but not in a sentence.
            guard !isSentence, strength.letters == strength.length, Set(text).count > 3 else {
                return false
            }
            return isQuoted || (isSetting && !strength.isWords)
        }
        if isTechnical { return false }
        if isSpacedAssignment && !isQuoted && Self.isName(text[...]) { return false }
        return true
    }

    /// “12-character”, “base64-encoded”, “SHA-256”: words about passwords that hold digits.
    private var isTechnical: Bool {
        let text = text.lowercased()
        let parts = text.split(separator: "-")
        if parts.count > 1, parts[0].allSatisfy(\.isNumber),
            parts[1...].allSatisfy({ $0.allSatisfy(\.isLetter) })
        {
            return true
        }
        let words = [
            "base64", "base32", "sha1", "sha-1", "sha256", "sha-256", "sha512", "md5", "utf-8",
            "utf8", "oauth2", "ed25519", "rsa", "bcrypt", "scrypt", "argon2", "pbkdf2", "aes-256",
            "aes256", "2fa", "http2",
        ]
        return isSentence && words.contains { text.hasPrefix($0) }
    }
}
