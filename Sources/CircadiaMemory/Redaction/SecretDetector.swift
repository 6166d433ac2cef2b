import Foundation

/// Finds what must not be learnt and not be kept: keys, tokens, passwords, card and bank numbers.
///
/// A secret is known by its shape (a provider's prefix, a private key's armour, a number's checksum) or
/// by the word beside it (`password = …`). Placeholders, variables and calls are no secrets.
public enum SecretDetector {
    /// The secrets of a text, in order; they do not overlap.
    ///
    /// - Parameter text: anything.
    /// - Returns: of two that overlap, the one that begins first or, of those, the longest.
    public static func secrets(in text: String) -> [Secret] {
        let document = text as NSString
        guard document.length >= shortest else { return [] }
        var found = PrivateKeyShapes.findings(in: document)
        found += ProviderKeyShapes.findings(in: document)
        found += AddressSecrets.findings(in: document)
        found += HeaderSecrets.findings(in: document)
        found += NamedSecrets.findings(in: document)
        found += AccountNumbers.findings(in: document)
        found.sort { ($0.range.location, $1.range.length) < ($1.range.location, $0.range.length) }
        var secrets: [Secret] = []
        var end = 0
        for finding in found where finding.range.location >= end {
            guard let range = Range(finding.range, in: text) else { continue }
            secrets.append(Secret(kind: finding.kind, range: range))
            end = finding.range.location + finding.range.length
        }
        return secrets
    }

    /// No secret is shorter with its label.
    private static let shortest = 9
}

/// A secret where Foundation's regular expressions count: in UTF-16.
struct SecretFinding {
    let kind: SecretKind
    let range: NSRange
}

/// A regular expression that says where a secret is: its group `secret`, or else all of a match.
struct SecretPattern: Sendable {
    private let expression: NSRegularExpression?
    private let isGrouped: Bool

    init(_ pattern: String, ignoringCase: Bool = false) {
        expression = try? NSRegularExpression(
            pattern: pattern,
            options: ignoringCase ? [.anchorsMatchLines, .caseInsensitive] : .anchorsMatchLines)
        isGrouped = pattern.contains("(?<secret>")
        // A constant of this program that does not compile is a bug.
        precondition(expression != nil, "a pattern does not compile: \(pattern)")
    }

    /// The matches; with names, the groups beside `secret` can be asked for.
    func matches(in document: NSString) -> [NSTextCheckingResult] {
        expression?.matches(
            in: document as String, range: NSRange(location: 0, length: document.length)) ?? []
    }

    /// The secrets that pass a test of their text.
    func findings(
        _ kind: SecretKind, in document: NSString, where accepts: (String) -> Bool = { _ in true }
    ) -> [SecretFinding] {
        matches(in: document).compactMap { match in
            let range = isGrouped ? match.range(withName: "secret") : match.range
            guard range.location != NSNotFound, accepts(document.substring(with: range)) else {
                return nil
            }
            return SecretFinding(kind: kind, range: range)
        }
    }
}
