import CircadiaConversation
import CircadiaFiles
import Foundation

/// A line of a log as it is in the file, with what it holds.
package struct ChatLogLine: Sendable {
    /// The line, counted from 1.
    package let number: Int
    /// Its bytes, without the line feed.
    package let bytes: [UInt8]
    /// The exchange; nil where the line holds none that can be read.
    package let exchange: Exchange?
}

extension ChatLog {
    /// Every line of the log, blank and broken ones too. A torn last line is repaired first.
    ///
    /// - Returns: the lines, and which file they were read from; none where there is no log.
    /// - Throws: `unreadable`, `unwritable`.
    package func lines() throws -> (lines: [ChatLogLine], file: FileIdentity?) {
        guard FileManager.default.fileExists(atPath: url.path) else { return ([], nil) }
        _ = try repair()
        let file = try OpenFile(url, flags: O_RDONLY, failure: .read)
        try file.lock(exclusive: false)
        return (try Self.lines(of: file), try file.identity())
    }

    /// Replaces the log by what `change` makes of its lines, while no other program writes to it.
    ///
    /// - Parameters:
    ///   - expected: the file that the change was made for; where another one is in its place,
    ///     because the log was rewritten meanwhile, nothing is done. Nil takes any.
    ///   - change: gives the new lines, without line feeds; nil leaves the log as it is.
    /// - Returns: whether the log was rewritten.
    /// - Throws: `unreadable`, `unwritable`; the log is as it was then.
    package func rewrite(
        expecting expected: FileIdentity? = nil,
        _ change: ([ChatLogLine]) throws -> [[UInt8]]?
    ) throws -> Bool {
        while true {
            guard FileManager.default.fileExists(atPath: url.path) else { return false }
            let file = try OpenFile(url, flags: O_RDWR | O_APPEND, failure: .write)
            try file.lock(exclusive: true)
            guard try file.isStillAtPath() else { continue }
            if let expected, try file.identity() != expected { return false }
            guard let changed = try change(try Self.lines(of: file)) else { return false }
            var bytes: [UInt8] = []
            for line in changed {
                bytes += line
                bytes.append(UInt8(ascii: "\n"))
            }
            // Writers that wait for the lock notice the new file and open it.
            try DurableFile.replace(url, with: bytes)
            return true
        }
    }

    private static func lines(of file: OpenFile) throws -> [ChatLogLine] {
        let bytes = try file.bytes(at: 0, count: try file.size())
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.enumerated().map { index, line in
            let line = Array(line)
            var exchange: Exchange?
            if case .exchange(let found, _) = LogLine.parse(line, number: index + 1) {
                exchange = found
            }
            return ChatLogLine(number: index + 1, bytes: line, exchange: exchange)
        }
    }
}
