import CircadiaConversation
import CircadiaFiles
import Foundation

/// The chat log: a file of JSON lines, one exchange a line, that is only ever added to.
///
/// Several programs may write and read it at once: each line is written by one `write` under an
/// exclusive lock and is on the disk when `append` returns.
package final class ChatLog: Sendable {
    /// Where the log is.
    package let url: URL

    /// A log at `url`; neither the file nor its folder need exist.
    package init(url: URL) { self.url = url }

    /// Adds one exchange as a line and returns when it is on the disk.
    ///
    /// The file is made with mode 0600, its folder with mode 0700. A last line that was left
    /// torn by a crash is repaired first. If the disk is full the file stays as it was.
    ///
    /// - Parameter exchange: what to log; it needs at least one message.
    /// - Returns: what was done about a torn last line.
    /// - Throws: `exchangeEmpty`, `folderNotMade`, `unwritable`.
    @discardableResult
    package func append(_ exchange: Exchange) throws -> ChatLogRepair {
        guard !exchange.messages.isEmpty else { throw LogError.exchangeEmpty(id: exchange.id) }
        return try append(line: Self.line(of: exchange))
    }

    /// The exchange as one line of the log, line feed included.
    package static func line(of exchange: Exchange) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try [UInt8](encoder.encode(exchange)) + [UInt8(ascii: "\n")]
        } catch {
            // An exchange is strings all the way down; JSON can say every one of them.
            preconditionFailure("an exchange could not be encoded: \(error)")
        }
    }

    @discardableResult
    func append(line: [UInt8]) throws -> ChatLogRepair {
        try LineFile(url).append(line, torn: tornLine)
    }

    /// Completes or moves aside a last line without a line feed.
    ///
    /// - Returns: what was done.
    /// - Throws: `logMissing`, `unreadable`, `unwritable`.
    package func repair() throws -> ChatLogRepair {
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw LogError.logMissing(path: url.path)
        }
        return try LineFile(url).repair(torn: tornLine)
    }

    /// A last line that is an exchange lacks only its line feed. Other bytes are kept in a file of
    /// their own beside the log.
    private func tornLine(_ bytes: [UInt8]) -> LineFile.TornLine {
        if case .exchange = LogLine.parse(bytes, number: 1) { return .complete }
        let time = Timestamp.string(Date()).filter { $0.isNumber }
        return .moveAside(
            to: url.deletingLastPathComponent().appendingPathComponent(
                "\(url.lastPathComponent).torn-\(time)-\(getpid())-\(UUID().uuidString.prefix(8))"))
    }
}

/// What was done about the last line of a log that a crash may have torn.
package typealias ChatLogRepair = LineFile.Repair
