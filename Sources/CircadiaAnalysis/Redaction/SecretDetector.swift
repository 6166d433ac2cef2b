import Foundation

/// Finds what must not be learnt and not be kept: keys, tokens, passwords, card and bank numbers.
///
/// A secret is known by its shape (a provider's prefix, a private key's armour, a number's checksum) or
/// by the word beside it (`password = …`). Placeholders, variables and calls are no secrets.
package enum SecretDetector {
    /// Counts the texts that this task searches; nil outside tests.
    @TaskLocal package static var scanCounter: ScanCounter?

    /// The secrets of a text, in order; they do not overlap.
    ///
    /// - Parameter text: anything.
    /// - Returns: of two that overlap, the one that begins first or, of those, the longest.
    package static func secrets(in text: String) -> [Secret] {
        scanCounter?.add()
        let hints = SecretHints(text)
        let document = text as NSString
        var found: [SecretFinding] = []
        if hints.contain("-----begin") { found += PrivateKeyShapes.findings(in: document) }
        if hints.longestRun >= ProviderKeyShapes.shortest {
            found += ProviderKeyShapes.findings(in: document)
        }
        if hints.contain("@") || hints.contain("=") {
            found += AddressSecrets.findings(in: document)
        }
        if HeaderSecrets.hints.contains(where: hints.contain) {
            found += HeaderSecrets.findings(in: document)
        }
        if NamedSecrets.hints.contains(where: hints.contain) {
            found += NamedSecrets.findings(in: document)
        }
        if hints.digitCount >= AccountNumbers.fewestDigits {
            found += AccountNumbers.findings(in: document)
        }
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
}

/// What a text must have for each sort of pattern to be worth trying: most talk has none of it.
private struct SecretHints {
    /// The longest run of characters without a blank.
    private(set) var longestRun = 0
    private(set) var digitCount = 0
    /// The text with ASCII capitals made small.
    private var bytes: [UInt8]

    init(_ text: String) {
        bytes = Array(text.utf8)
        var run = 0
        for index in bytes.indices {
            let byte = bytes[index]
            if (0x41...0x5A).contains(byte) { bytes[index] = byte | 0x20 }
            if (0x30...0x39).contains(byte) { digitCount += 1 }
            run = byte <= 0x20 ? 0 : run + 1
            longestRun = max(longestRun, run)
        }
    }

    func contain(_ word: String) -> Bool {
        let word = Array(word.utf8)
        var start = 0
        while start + word.count <= bytes.count,
            let found = bytes[start...].firstIndex(of: word[0]), found + word.count <= bytes.count
        {
            if bytes[found..<found + word.count].elementsEqual(word) { return true }
            start = found + 1
        }
        return false
    }
}
