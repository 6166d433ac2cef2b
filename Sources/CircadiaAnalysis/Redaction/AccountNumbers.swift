import Foundation

/// Card and bank numbers: digits of the right form whose checksum holds.
package enum AccountNumbers {
    /// Digits of the shortest number.
    package static let fewestDigits = 9

    /// A card's digits, in one run or in its brand's groups.
    private static let card = SecretPattern(
        #"(?<![\w.,#+/-])(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{4}([ -])\d{6}\2\d{4,5})"#
            + #"(?![\w/]|[.,-]\d)"#)

    /// The beginning of an IBAN: the country and the check digits.
    private static let ibanStart = SecretPattern(#"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?=[ -]?[A-Z0-9])"#)

    /// Numbers whose checksum is weak count only beside their name.
    private static let routing = SecretPattern(
        #"\b(?:routing|aba|rtn)\b[^\d\n]{0,30}(?<secret>\d{9})(?!\d)"#, ignoringCase: true)
    private static let clabe = SecretPattern(
        #"\bclabe\b[^\d\n]{0,30}(?<secret>\d{18})(?!\d)"#, ignoringCase: true)
    private static let spanish = SecretPattern(
        #"(?<![\w-])\d{4}([ -])\d{4}\1\d{2}\1\d{10}(?![\w-])"#)
    private static let belgian = SecretPattern(#"(?<![\w-])\d{3}-\d{7}-\d{2}(?![\w-])"#)
    private static let french = SecretPattern(
        #"\brib\b[^\d\n]{0,12}(?<secret>\d{5} ?\d{5} ?\d{11} ?\d{2})(?!\d)"#, ignoringCase: true)

    static func findings(in document: NSString) -> [SecretFinding] {
        var found = card.findings(.cardNumber, in: document) { isCard(digits(of: $0)) }
        found += ibans(in: document)
        found += routing.findings(.bankNumber, in: document) { isRouting(digits(of: $0)) }
        found += clabe.findings(.bankNumber, in: document) { isCLABE(digits(of: $0)) }
        found += spanish.findings(.bankNumber, in: document) { isSpanish(digits(of: $0)) }
        found += belgian.findings(.bankNumber, in: document) { isBelgian(digits(of: $0)) }
        found += french.findings(.bankNumber, in: document, where: isFrench)
        return found
    }

    private static func digits(of text: String) -> [Int] {
        text.compactMap { $0.isASCII ? $0.wholeNumberValue : nil }
    }

    // MARK: Cards

    /// Luhn's test (ISO/IEC 7812-1), for numbers of brands that exist.
    package static func isCard(_ digits: [Int]) -> Bool {
        guard hasBrand(digits), Set(digits).count > 2 else { return false }
        let sum = digits.reversed().enumerated().reduce(0) { sum, item in
            let doubled = item.offset % 2 == 1 ? item.element * 2 : item.element
            return sum + doubled / 10 + doubled % 10
        }
        return sum % 10 == 0
    }

    /// Whether a brand issues numbers with this beginning and this length.
    private static func hasBrand(_ digits: [Int]) -> Bool {
        let prefix = digits.prefix(4).reduce(0) { $0 * 10 + $1 }
        switch (digits.count, prefix) {
        case (13, 4000..<5000), (16, 4000..<5000), (19, 4000..<5000): return true  // Visa
        case (16, 5100..<5600), (16, 2221...2720): return true  // Mastercard
        case (15, 3400..<3500), (15, 3700..<3800): return true  // American Express
        case (16...19, 6011), (16...19, 6440..<6600): return true  // Discover
        case (16...19, 3528..<3590): return true  // JCB
        case (14, 3000..<3060), (14, 3600..<3700), (14, 3800..<4000): return true  // Diners Club
        case (16...19, 6200..<6300): return true  // UnionPay
        case (16, 5018), (16, 5020), (16, 5038), (16, 5893), (16, 6304), (16, 6759...6763):
            return true  // Maestro
        default: return false
        }
    }

    // MARK: IBAN

    /// Lengths by country, from the IBAN registry.
    private static let ibanLengths: [String: Int] = [
        "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
        "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28,
        "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
        "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
        "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20,
        "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30,
        "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
        "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23,
        "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    ]

    private static func ibans(in document: NSString) -> [SecretFinding] {
        ibanStart.matches(in: document).compactMap { match in
            let start = match.range.location
            guard
                let length = ibanLengths[
                    document.substring(with: NSRange(location: start, length: 2))]
            else { return nil }
            var characters: [UInt16] = []
            var end = start
            while end < document.length, characters.count < length {
                let unit = document.character(at: end)
                let isSeparator = unit == 0x20 || unit == 0x2D
                guard isSeparator || isIBANCharacter(unit) else { return nil }
                if !isSeparator { characters.append(unit) }
                end += 1
            }
            let continues = end < document.length && isIBANCharacter(document.character(at: end))
            guard characters.count == length, !continues, isIBAN(characters) else { return nil }
            return SecretFinding(
                kind: .iban, range: NSRange(location: start, length: end - start))
        }
    }

    private static func isIBANCharacter(_ unit: UInt16) -> Bool {
        (0x30...0x39).contains(unit) || (0x41...0x5A).contains(unit)
    }

    /// ISO 7064 MOD 97-10 over the number with its first four characters moved to the end.
    private static func isIBAN(_ characters: [UInt16]) -> Bool {
        let rest = (characters[4...] + characters[..<4]).reduce(0) { rest, unit in
            unit < 0x41
                ? (rest * 10 + Int(unit) - 0x30) % 97 : (rest * 100 + Int(unit) - 0x37) % 97
        }
        return rest == 1
    }

    // MARK: National numbers

    private static func weighted(_ digits: some Sequence<Int>, _ weights: [Int]) -> Int {
        zip(digits, weights).reduce(0) { $0 + $1.0 * $1.1 }
    }

    private static func remainder(_ digits: some Sequence<Int>, by divisor: Int) -> Int {
        digits.reduce(0) { ($0 * 10 + $1) % divisor }
    }

    /// The routing number of a bank in the United States.
    private static func isRouting(_ digits: [Int]) -> Bool {
        let district = digits[0] * 10 + digits[1]
        guard
            (1...12).contains(district) || (21...32).contains(district) || district == 80
                || (61...72).contains(district) || (district == 0 && digits.contains { $0 > 0 })
        else { return false }
        return weighted(digits, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 == 0
    }

    /// The account number of a bank in Mexico.
    private static func isCLABE(_ digits: [Int]) -> Bool {
        let sum = digits.prefix(17).enumerated().reduce(0) { sum, item in
            sum + item.element * [3, 7, 1][item.offset % 3] % 10
        }
        return (10 - sum % 10) % 10 == digits[17]
    }

    /// The account number of a bank in Spain before IBAN: two check digits.
    private static func isSpanish(_ digits: [Int]) -> Bool {
        func check(_ part: some Sequence<Int>) -> Int {
            let value = 11 - weighted(part, [1, 2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11
            return value == 11 ? 0 : value == 10 ? 1 : value
        }
        return check([0, 0] + digits[..<8]) == digits[8] && check(digits[10...]) == digits[9]
    }

    /// The account number of a bank in Belgium before IBAN.
    private static func isBelgian(_ digits: [Int]) -> Bool {
        let rest = remainder(digits.prefix(10), by: 97)
        return (rest == 0 ? 97 : rest) == digits[10] * 10 + digits[11]
    }

    /// The account number of a bank in France before IBAN: the whole is divisible by 97.
    private static func isFrench(_ text: String) -> Bool {
        let digits = digits(of: text)
        return digits.count == 23 && remainder(digits, by: 97) == 0
    }
}
