/// Names an exchange by its content: SHA-256 over its messages, time and session, as 64 lower-case
/// hexadecimal digits.
///
/// Two readings of the same exchange have the same hash, whatever their ids and tags are. Files hold the
/// digits alone.
package struct ContentHash: RawRepresentable, Sendable, Hashable, Codable, CodingKeyRepresentable {
    /// The digits.
    package let rawValue: String

    /// A hash that a file gives.
    package init(rawValue: String) { self.rawValue = rawValue }

    /// The id of an imported exchange whose file names none: the first 32 digits.
    package var exchangeID: String { String(rawValue.prefix(32)) }

    /// The id of an exchange of a log whose line names none: the first 16 digits and the line's number,
    /// so that two equal lines have two ids.
    package func exchangeID(line: Int) -> String { "\(rawValue.prefix(16))-\(line)" }
}

extension ContentHash: Comparable {
    /// The order of the digits, in which files list hashes.
    package static func < (left: ContentHash, right: ContentHash) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension ContentHash: CustomStringConvertible {
    /// The digits.
    package var description: String { rawValue }
}
