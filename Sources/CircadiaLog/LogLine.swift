import CircadiaConversation
import Foundation

/// One line of a log, understood or not.
package enum LogLine {
    /// Nothing but white space.
    case blank
    /// An exchange, perhaps with something wrong that did not prevent reading it.
    case exchange(Exchange, LineIssue.Reason?)
    /// No exchange.
    case issue(LineIssue.Reason)

    /// Bytes of the longest line that is read: far above any chat, far below memory.
    package static let longestLine = 64 << 20

    /// Reads the bytes of a line without its line feed; `number` counts from 1.
    package static func parse(_ bytes: [UInt8], number: Int) -> LogLine {
        var bytes = bytes[...]
        if number == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        guard bytes.contains(where: { !isWhiteSpace($0) }) else { return .blank }
        guard String(bytes: bytes, encoding: .utf8) != nil else { return .issue(.notUTF8) }
        guard
            let json = try? JSONSerialization.jsonObject(
                with: Data(bytes), options: [.fragmentsAllowed])
        else { return .issue(.notJSON) }
        guard let object = json as? [String: Any] else { return .issue(.notObject) }
        switch messages(of: object) {
        case .failure(let failure): return .issue(failure.reason)
        case .success(let messages):
            return exchange(from: object, messages: messages, number: number)
        }
    }

    private struct Failure: Error { let reason: LineIssue.Reason }

    private static func messages(of object: [String: Any]) -> Result<[ChatMessage], Failure> {
        let isOwnForm = object["messages"] is [Any]
        guard let list = (object["messages"] ?? object["conversations"]) as? [Any], !list.isEmpty
        else { return .failure(Failure(reason: .noMessages)) }
        var messages: [ChatMessage] = []
        for (index, item) in list.enumerated() {
            guard let item = item as? [String: Any],
                let speaker = item[isOwnForm ? "role" : "from"] as? String,
                let content = item[isOwnForm ? "content" : "value"] as? String
            else { return .failure(Failure(reason: .messageBroken(number: index + 1))) }
            guard let role = role(named: speaker) else {
                return .failure(Failure(reason: .roleUnknown(number: index + 1)))
            }
            messages.append(ChatMessage(role: role, content: content))
        }
        return .success(messages)
    }

    /// The speaker's names in the project's own, OpenAI's and ShareGPT's files.
    private static func role(named name: String) -> ChatMessage.Role? {
        switch name.lowercased() {
        case "user", "human": .user
        case "assistant", "gpt", "chatgpt", "bot", "model": .assistant
        case "system": .system
        default: nil
        }
    }

    private static func exchange(
        from object: [String: Any], messages: [ChatMessage], number: Int
    ) -> LogLine {
        var issue: LineIssue.Reason?
        var timestamp: Date?
        switch object["timestamp"] {
        case nil, is NSNull: break
        case let text as String:
            timestamp = Timestamp.date(text)
            if timestamp == nil { issue = .timestampBroken }
        case let seconds as NSNumber:
            timestamp = Date(timeIntervalSince1970: seconds.doubleValue)
        default: issue = .timestampBroken
        }
        var exchange = Exchange(
            id: "", timestamp: timestamp, session: string(object["session"]),
            messages: messages, model: string(object["model"]),
            adapter: string(object["adapter"]),
            tags: (object["tags"] as? [Any])?.compactMap { $0 as? String } ?? [])
        // A person may say so in the words themselves, in a log of any origin.
        for tag in ChatTags.found(in: exchange) where !exchange.tags.contains(tag) {
            exchange.tags.append(tag)
        }
        exchange.id = string(object["id"]) ?? exchange.contentHash.exchangeID(line: number)
        return .exchange(exchange, issue)
    }

    /// A text, or a number as a text; empty counts as absent.
    private static func string(_ value: Any?) -> String? {
        let text = (value as? String) ?? (value as? NSNumber)?.stringValue
        return text?.isEmpty == true ? nil : text
    }

    private static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }
}
