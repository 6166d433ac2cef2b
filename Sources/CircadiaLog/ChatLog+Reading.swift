import CircadiaConversation
import CircadiaFiles
import Foundation

extension ChatLog {
    /// Reads a log.
    ///
    /// Three forms of line are understood and may be mixed: the project's own, the original
    /// Python project's `{"messages": […]}`, and ShareGPT's `{"conversations": [{"from",
    /// "value"}]}`. A line without an id gets one made of its contents and its number. Lines
    /// that cannot be read are skipped and reported by number. A torn last line is repaired
    /// where the file may be written.
    ///
    /// - Parameters:
    ///   - url: the log.
    ///   - repairing: whether a torn last line may be repaired; it is reported either way.
    /// - Returns: what was read; perhaps no exchange at all.
    /// - Throws: `logMissing`, `unreadable`.
    package static func read(
        _ url: URL, repairing: Bool = true
    ) throws -> ChatLogContents {
        var exchanges: [Exchange] = []
        let (issues, repair) = try forEachExchange(in: url, repairing: repairing) { exchange in
            exchanges.append(exchange)
        }
        return ChatLogContents(url: url, exchanges: exchanges, issues: issues, repair: repair)
    }

    /// Reads a log piece by piece and hands over each exchange as it is read.
    ///
    /// - Parameters:
    ///   - url: the log.
    ///   - repairing: whether a torn last line may be repaired.
    ///   - body: called with each exchange, in order.
    /// - Returns: the lines with something wrong, and what was done about a torn last line.
    /// - Throws: `logMissing`, `unreadable`.
    package static func forEachExchange(
        in url: URL, repairing: Bool = true, _ body: (Exchange) -> Void
    ) throws -> (issues: [LineIssue], repair: ChatLogRepair) {
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw LogError.logMissing(path: url.path)
        }
        let repair = repairing ? repairIfPossible(url) : .none
        let file = try OpenFile(url, flags: O_RDONLY, failure: .read)
        // Writers hold the lock while they write: what is there now is made of whole lines.
        try file.lock(exclusive: false)
        let size = try file.size()
        file.unlock()
        var splitter = LineSplitter()
        var issues: [LineIssue] = []
        func take(_ line: [UInt8], _ number: Int, _ isLast: Bool) {
            switch LogLine.parse(line, number: number) {
            case .blank: break
            case .issue(let reason):
                issues.append(LineIssue(line: number, reason: isLast ? .torn : reason))
            case .exchange(let exchange, let reason):
                if let reason { issues.append(LineIssue(line: number, reason: reason)) }
                body(exchange)
            }
        }
        var offset = 0
        while offset < size {
            let piece = try file.bytes(at: offset, count: min(1 << 20, size - offset))
            if piece.isEmpty { break }
            offset += piece.count
            splitter.split(piece) { line, number, length in
                if length > line.count {
                    issues.append(LineIssue(line: number, reason: .tooLong(byteCount: length)))
                } else {
                    take(line, number, false)
                }
            }
        }
        if let rest = splitter.rest { take(rest.line, rest.number, true) }
        return (issues, repair)
    }

    /// The last exchanges of a log, read from its end: quick however long the log is.
    ///
    /// - Parameters:
    ///   - url: the log; one that is missing has none.
    ///   - byteCount: bytes at the end that are looked at.
    /// - Returns: the exchanges of whole lines, oldest first; others are left out in silence.
    /// - Throws: `unreadable`.
    package static func recent(
        _ url: URL, byteCount: Int = 1 << 18
    ) throws -> [Exchange] {
        guard FileManager.default.fileExists(atPath: url.path) else { return [] }
        let file = try OpenFile(url, flags: O_RDONLY, failure: .read)
        let size = try file.size()
        let start = max(0, size - byteCount)
        var lines = try file.bytes(at: start, count: size - start)
            .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
        if start > 0 { lines = lines.dropFirst() }
        return lines.compactMap { line in
            guard case .exchange(let exchange, _) = LogLine.parse(Array(line), number: 2) else {
                return nil
            }
            return exchange
        }
    }

    /// A log on a read-only disk is read as it is.
    private static func repairIfPossible(_ url: URL) -> ChatLogRepair {
        guard let file = try? OpenFile(url, flags: O_RDONLY, failure: .read),
            let size = try? file.size(), size > 0,
            let last = try? file.bytes(at: size - 1, count: 1), last != [UInt8(ascii: "\n")]
        else { return .none }
        return (try? ChatLog(url: url).repair()) ?? .none
    }
}

/// Cuts bytes that arrive in pieces into lines, counted from 1.
package struct LineSplitter {
    private var line: [UInt8] = []
    private var length = 0
    private var number = 1

    /// Calls `body` with each line that ends in `piece`: its bytes without the line feed, its
    /// number and its length. Of a line that is too long only the length counts.
    package mutating func split(_ piece: [UInt8], _ body: ([UInt8], Int, Int) -> Void) {
        var start = 0
        while start < piece.count {
            let end = piece[start...].firstIndex(of: UInt8(ascii: "\n")) ?? piece.count
            length += end - start
            if length <= LogLine.longestLine { line.append(contentsOf: piece[start..<end]) }
            guard end < piece.count else { return }
            body(line, number, length)
            line.removeAll(keepingCapacity: true)
            length = 0
            number += 1
            start = end + 1
        }
    }

    /// The bytes after the last line feed, if any.
    package var rest: (line: [UInt8], number: Int)? { length == 0 ? nil : (line, number) }
}
