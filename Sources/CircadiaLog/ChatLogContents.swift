import CircadiaConversation
import Foundation

/// What a chat log holds, and which of its lines could not be read.
package struct ChatLogContents: Sendable {
    /// Where it was read from.
    package let url: URL
    /// The exchanges, in the order of the file.
    package let exchanges: [Exchange]
    /// Lines with something wrong, in the order of the file.
    package let issues: [LineIssue]
    /// What was done about a torn last line.
    package let repair: ChatLogRepair

    /// Lines that gave no exchange.
    package var skippedLineCount: Int { issues.count { $0.reason.skipsLine } }

    /// The exchanges, or an error where there are none.
    ///
    /// - Throws: `logEmpty`.
    package func requireExchanges() throws(LogError) -> [Exchange] {
        guard !exchanges.isEmpty else {
            throw .logEmpty(path: url.path, skippedLines: skippedLineCount)
        }
        return exchanges
    }
}

/// Something wrong with one line of a log. It never holds the line's text.
package struct LineIssue: Sendable, Hashable, CustomStringConvertible {
    /// What is wrong.
    package enum Reason: Sendable, Hashable {
        /// The bytes are not UTF-8.
        case notUTF8
        /// The line is not JSON.
        case notJSON
        /// The line is JSON but no object.
        case notObject
        /// There is neither a list of `messages` nor of `conversations`, or it is empty.
        case noMessages
        /// A message (counted from 1) has no text or no speaker.
        case messageBroken(number: Int)
        /// A message (counted from 1) has a speaker who is neither system, user nor assistant.
        case roleUnknown(number: Int)
        /// The line is longer than a line may be.
        case tooLong(byteCount: Int)
        /// The last line has no line feed and no exchange in it: a write was interrupted.
        case torn
        /// The time cannot be read; the exchange counts as one without a time.
        case timestampBroken

        /// Whether the line gave no exchange.
        package var skipsLine: Bool { self != .timestampBroken }
    }

    /// The line, counted from 1.
    package let line: Int
    /// What is wrong.
    package let reason: Reason

    /// An issue with a line, counted from 1.
    package init(line: Int, reason: Reason) {
        self.line = line
        self.reason = reason
    }

    /// `line 7: not JSON; skipped`.
    package var description: String {
        let text =
            switch reason {
            case .notUTF8: "not UTF-8"
            case .notJSON: "not JSON"
            case .notObject: "JSON, but no object"
            case .noMessages: "no “messages” and no “conversations”"
            case .messageBroken(let number): "message \(number) has no speaker or no text"
            case .roleUnknown(let number):
                "message \(number) is by neither system, user nor assistant"
            case .tooLong(let byteCount):
                "\(byteCount) bytes long (at most \(LogLine.longestLine) are read)"
            case .torn: "cut off in the middle"
            case .timestampBroken: "its time is not RFC 3339"
            }
        return "line \(line): \(text); \(reason.skipsLine ? "skipped" : "read without a time")"
    }
}
