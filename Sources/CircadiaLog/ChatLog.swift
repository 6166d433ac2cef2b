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
    package func append(line: [UInt8]) throws -> ChatLogRepair {
        let folder = url.deletingLastPathComponent()
        try OpenFile.makeFolder(folder)
        while true {
            let isNew = !FileManager.default.fileExists(atPath: url.path)
            let file = try OpenFile(url, flags: O_RDWR | O_APPEND | O_CREAT, failure: .write)
            try file.lock(exclusive: true)
            // While we waited, another program may have put a new file in its place.
            guard try file.isStillAtPath() else { continue }
            let repair = try Self.repairLastLine(of: file, at: url)
            try file.appendWhole(line)
            try file.synchronize()
            if isNew { try OpenFile.synchronizeFolder(folder) }
            return repair
        }
    }

    /// Completes or moves aside a last line without a line feed.
    ///
    /// - Returns: what was done.
    /// - Throws: `logMissing`, `unreadable`, `unwritable`.
    package func repair() throws -> ChatLogRepair {
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw LogError.logMissing(path: url.path)
        }
        let file = try OpenFile(url, flags: O_RDWR | O_APPEND, failure: .write)
        try file.lock(exclusive: true)
        return try Self.repairLastLine(of: file, at: url)
    }

    /// The caller holds the exclusive lock.
    private static func repairLastLine(
        of file: OpenFile, at url: URL
    ) throws -> ChatLogRepair {
        let size = try file.size()
        guard size > 0, try file.bytes(at: size - 1, count: 1) != [UInt8(ascii: "\n")] else {
            return .none
        }
        let start = try startOfLastLine(in: file, size: size)
        let tail = try file.bytes(at: start, count: size - start)
        if case .exchange = LogLine.parse(tail, number: 1) {
            try file.appendWhole([UInt8(ascii: "\n")])
            try file.synchronize()
            return .completed
        }
        let aside = try moveAside(tail, of: url)
        try file.truncate(to: start)
        try file.synchronize()
        return .movedAside(to: aside)
    }

    private static func startOfLastLine(
        in file: OpenFile, size: Int
    ) throws -> Int {
        var end = size
        while end > 0 {
            let start = max(0, end - (1 << 16))
            let piece = try file.bytes(at: start, count: end - start)
            if let newline = piece.lastIndex(of: UInt8(ascii: "\n")) {
                return start + newline + 1
            }
            end = start
        }
        return 0
    }

    /// Keeps the bytes in a file of their own beside the log.
    private static func moveAside(_ bytes: [UInt8], of url: URL) throws -> URL {
        let folder = url.deletingLastPathComponent()
        let time = Timestamp.string(Date()).filter { $0.isNumber }
        let aside = folder.appendingPathComponent(
            "\(url.lastPathComponent).torn-\(time)-\(getpid())-\(UUID().uuidString.prefix(8))")
        let file = try OpenFile(
            aside, flags: O_WRONLY | O_APPEND | O_CREAT | O_EXCL, failure: .write)
        try file.appendWhole(bytes)
        try file.synchronize()
        try OpenFile.synchronizeFolder(folder)
        return aside
    }
}

/// What was done about the last line of a log that a crash may have torn.
package enum ChatLogRepair: Sendable, Equatable {
    /// The last line was whole.
    case none
    /// Only its line feed was missing; it was added.
    case completed
    /// It was no exchange; its bytes are now in a file of their own beside the log.
    case movedAside(to: URL)
}
