import CircadiaTestSupport
import Foundation

/// A case of the set that the detection of secrets is measured on: a text and what in it is secret.
///
/// `Tools/write_secret_cases.py` writes the cases and says how they are marked. What is random in
/// them is drawn here, so that no key is ever in the repository, not even a false one.
struct LabelledText {
    let part: String
    let kind: String
    let text: String
    /// Where the secrets are.
    let secrets: [Range<String.Index>]

    /// The cases of a fixture, drawn with `seed`.
    static func read(_ url: URL, seed: UInt64) throws -> [LabelledText] {
        var generator = SplitMix64(seed: seed)
        return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map { line in
            let fields = line.split(separator: "\t", maxSplits: 2).map(String.init)
            return LabelledText(
                part: fields[0], kind: fields[1],
                marked: fields[2].replacingOccurrences(of: "\\n", with: "\n"), &generator)
        }
    }

    private init(part: String, kind: String, marked: String, _ generator: inout SplitMix64) {
        var drawn = ""
        var rest = marked[...]
        while let open = rest.firstIndex(of: "⟦"), let close = rest[open...].firstIndex(of: "⟧") {
            drawn += rest[..<open]
            drawn += Drawing.draw(String(rest[rest.index(after: open)..<close]), &generator)
            rest = rest[rest.index(after: close)...]
        }
        drawn += rest
        var text = ""
        var bounds: [Int] = []
        for character in drawn {
            if character == "«" || character == "»" {
                bounds.append(text.count)
            } else {
                text.append(character)
            }
        }
        let indices = bounds.map { text.index(text.startIndex, offsetBy: $0) }
        self.part = part
        self.kind = kind
        self.text = text
        secrets = stride(from: 0, to: indices.count - 1, by: 2).map {
            indices[$0]..<indices[$0 + 1]
        }
    }
}

/// What `⟦…⟧` stands for.
enum Drawing {
    private static let lower = "abcdefghijklmnopqrstuvwxyz"
    private static let digits = "0123456789"
    private static let classes: [Character: String] = [
        "b": lower + lower.uppercased() + digits, "m": lower + lower.uppercased(),
        "h": digits + "abcdef", "H": digits + "ABCDEF", "d": digits,
        "A": lower.uppercased() + digits, "a": lower + digits, "l": lower,
        "L": lower.uppercased(), "u": lower + lower.uppercased() + digits + "-_",
        "s": lower + lower.uppercased() + digits + "+/",
        "p": lower + lower.uppercased() + digits + digits + "!#$%&*+?_-",
    ]

    static func draw(_ name: String, _ generator: inout SplitMix64) -> String {
        if let alphabet = name.first.flatMap({ classes[$0] }), let count = Int(name.dropFirst()) {
            return characters(of: alphabet, count, &generator)
        }
        let parts = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let detail = parts.count > 1 ? parts[1] : ""
        let spoilt = parts[0].hasPrefix("bad")
        switch spoilt ? String(parts[0].dropFirst(3)) : parts[0] {
        case "uuid", "UUID":
            let hex = characters(of: classes["h"] ?? "", 32, &generator)
            let text = [8, 4, 4, 4, 12].reduce(into: ([String](), hex[...])) { state, length in
                state.0.append(String(state.1.prefix(length)))
                state.1 = state.1.dropFirst(length)
            }.0.joined(separator: "-")
            return parts[0] == "UUID" ? text.uppercased() : text
        case "basic":
            return Data("anna:\(draw("b13", &generator))".utf8).base64EncodedString()
        case "jwt":
            let header = Data(#"{"alg":"HS256","typ":"JWT"}"#.utf8).base64EncodedString()
            let body = Data(#"{"sub":"\#(draw("d10", &generator))","iat":1732438800}"#.utf8)
                .base64EncodedString().replacingOccurrences(of: "=", with: "")
            return
                "\(header.replacingOccurrences(of: "=", with: "")).\(body).\(draw("u43", &generator))"
        case "pem": return pem(detail, "\n", &generator)
        case "pemline": return pem(detail, "\\n", &generator)
        case "pemindent": return pem(detail, "\n  ", &generator)
        case "pemcut":
            return String(pem(detail, "\n", &generator).prefix(300))
        case "pgp":
            return "-----BEGIN PGP PRIVATE KEY"
                + " BLOCK-----\n\nlQOYBF\(draw("s58", &generator))\n"
                + "\(draw("s64", &generator))\n=\(draw("s4", &generator))\n-----END PGP PRIVATE KEY"
                + " BLOCK-----"
        case "card": return card(detail, "", spoilt, &generator)
        case "card4": return card(detail, " ", spoilt, &generator)
        case "card-": return card(detail, "-", spoilt, &generator)
        case "iban": return iban(detail, false, spoilt, &generator)
        case "iban4": return iban(detail, true, spoilt, &generator)
        default: return number(parts[0], spoilt, &generator)
        }
    }

    private static func characters(
        of alphabet: String, _ count: Int, _ generator: inout SplitMix64
    ) -> String {
        let alphabet = Array(alphabet)
        return String(
            (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
        )
    }

    private static func pem(
        _ name: String, _ newline: String, _ generator: inout SplitMix64
    ) -> String {
        let lines = (0..<6).map { _ in draw("s64", &generator) } + [draw("s30", &generator) + "=="]
        return
            (["-----BEGIN \(name)PRIVATE" + " KEY-----"] + lines
            + ["-----END \(name)PRIVATE" + " KEY-----"]).joined(separator: newline)
    }

    // MARK: Numbers with checksums, and the same with the checksum spoilt

    private static func card(
        _ brand: String, _ separator: String, _ spoilt: Bool, _ generator: inout SplitMix64
    ) -> String {
        let brands: [String: (String, Int)] = [
            "visa": ("4", 16), "mastercard": ("53", 16), "mastercard2": ("2345", 16),
            "amex": ("37", 15), "discover": ("6011", 16), "jcb": ("3541", 16),
            "diners": ("36", 14), "unionpay": ("6221", 16),
        ]
        let (prefix, length) = brands[brand] ?? ("4", 16)
        let body = prefix + draw("d\(length - prefix.count - 1)", &generator)
        let check = luhnDigit(body)
        let whole =
            body
            + String(spoilt ? (check + 1 + Int.random(in: 0..<9, using: &generator)) % 10 : check)
        let groups = length == 16 ? [4, 4, 4, 4] : length == 15 ? [4, 6, 5] : [4, 6, 4]
        return grouped(whole, groups, separator)
    }

    /// The digit that makes the whole pass Luhn's test.
    private static func luhnDigit(_ digits: String) -> Int {
        var sum = 0
        for (place, character) in digits.reversed().enumerated() {
            let digit = character.wholeNumberValue ?? 0
            sum += place % 2 == 0 ? (digit * 2) / 10 + (digit * 2) % 10 : digit
        }
        return (10 - sum % 10) % 10
    }

    private static func grouped(_ text: String, _ sizes: [Int], _ separator: String) -> String {
        var rest = text[...]
        var groups: [Substring] = []
        for size in sizes {
            groups.append(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        if !rest.isEmpty { groups.append(rest) }
        return groups.joined(separator: separator)
    }

    private static func iban(
        _ country: String, _ isGrouped: Bool, _ spoilt: Bool, _ generator: inout SplitMix64
    ) -> String {
        let shapes = [
            "DE": "d18", "FR": "d23", "GB": "L4d14", "NL": "L4d10", "ES": "d20", "CH": "d17",
            "AT": "d16", "BE": "d12", "IT": "L1d22", "PL": "d24", "NO": "d11",
        ]
        var body = ""
        var shape = (shapes[country] ?? "d18")[...]
        while let letter = shape.popFirst() {
            let count = shape.prefix { $0.isNumber }
            shape = shape.dropFirst(count.count)
            body += draw("\(letter)\(count)", &generator)
        }
        var check = 98 - remainder(of: body + country + "00", by: 97)
        if spoilt { check = (check + 1 + Int.random(in: 0..<90, using: &generator)) % 97 }
        let whole = country + String(check / 10) + String(check % 10) + body
        return isGrouped
            ? grouped(whole, Array(repeating: 4, count: whole.count / 4), " ") : whole
    }

    /// Letters count as 10 for A to 35 for Z.
    private static func remainder(of text: String, by divisor: Int) -> Int {
        text.unicodeScalars.reduce(0) { rest, scalar in
            let value = scalar.value < 65 ? Int(scalar.value) - 48 : Int(scalar.value) - 55
            return (rest * (value > 9 ? 100 : 10) + value) % divisor
        }
    }

    private static func weighted(_ digits: String, _ weights: [Int]) -> Int {
        zip(digits, weights.indices.map { weights[$0] }).reduce(0) { sum, pair in
            sum + (pair.0.wholeNumberValue ?? 0) * pair.1
        }
    }

    private static func number(
        _ name: String, _ spoilt: Bool, _ generator: inout SplitMix64
    ) -> String {
        let shift = spoilt ? Int.random(in: 1..<10, using: &generator) : 0
        switch spoilt ? String(name.dropFirst(3)) : name {
        case "aba":
            let body = "0" + draw("d7", &generator)
            let sum = weighted(body, [3, 7, 1, 3, 7, 1, 3, 7])
            return body + String(((10 - sum % 10) % 10 + shift) % 10)
        case "clabe":
            let body = "012" + draw("d14", &generator)
            let sum = zip(body, 0...).reduce(0) { sum, pair in
                sum + ((pair.0.wholeNumberValue ?? 0) * [3, 7, 1][pair.1 % 3]) % 10
            }
            return body + String(((10 - sum % 10) % 10 + shift) % 10)
        case "ccc", "ccc-":
            let bank = "2100" + draw("d4", &generator)
            let account = draw("d10", &generator)
            func check(_ digits: String) -> String {
                let rest = 11 - weighted(digits, [1, 2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11
                return String(rest == 11 ? 0 : rest == 10 ? 1 : rest)
            }
            let groups = [
                String(bank.prefix(4)), String(bank.suffix(4)), check("00" + bank) + check(account),
                account,
            ]
            return groups.joined(separator: name == "ccc-" ? "-" : " ")
        case "bban":
            let body = "5" + draw("d9", &generator)
            let check = (remainder(of: body, by: 97) + 97 - 1 + shift) % 97 + 1
            return grouped(
                body + String(check / 10) + String(check % 10), [3, 7, 2], "-")
        case "rib", "rib ":
            let (bank, branch, account) = (
                draw("d5", &generator), draw("d5", &generator), draw("d11", &generator)
            )
            let rest = remainder(of: bank + branch + account + "00", by: 97)
            let key = (97 - rest + shift - 1) % 97 + 1
            return [bank, branch, account, String(key / 10) + String(key % 10)]
                .joined(separator: name == "rib " ? " " : "")
        case "isbn13", "ean":
            let body = (name == "ean" ? "400" : "978") + draw("d9", &generator)
            let sum = weighted(body, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3])
            return body + String((10 - sum % 10) % 10)
        case "imei":
            let body = "35" + draw("d12", &generator)
            return body + String(luhnDigit(body))
        case "iccid":
            let body = "8949" + draw("d14", &generator)
            return body + String(luhnDigit(body))
        default:
            preconditionFailure("the fixture names “\(name)”, which nothing draws")
        }
    }
}
