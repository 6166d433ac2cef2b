import CircadiaConversation
import CircadiaFiles
import Foundation

/// Chats of other programs, as exchanges of this one.
package enum ChatImport {
    /// What a file of chats can be.
    package enum Format: String, Sendable, CaseIterable {
        /// `conversations.json` of an export from ChatGPT.
        case chatgpt
        /// `conversations.json` of an export from Claude.
        case claude
        /// A list, or lines, of `{"conversations": [{"from", "value"}]}`.
        case sharegpt
        /// JSON lines with `messages`: this project's log and the original Python project's.
        case jsonl
    }

    /// What was read.
    package struct Outcome: Sendable {
        /// The form that the file has.
        package let format: Format
        /// The exchanges, conversation after conversation, each with a stable id.
        package let exchanges: [Exchange]
        /// Conversations or lines that could not be read.
        package let skipped: Int
    }

    /// Reads a file of any of the forms.
    ///
    /// A conversation becomes exchanges of what a person said and what was answered, with their
    /// times and the conversation as their session; lines of `messages` stay what they are. Hidden
    /// messages, tools and system prompts of the exports are left out.
    ///
    /// - Parameter url: the file.
    /// - Returns: the exchanges; the same file gives the same ids.
    /// - Throws: `unreadable`, `importUnknown`.
    package static func read(_ url: URL) throws -> Outcome {
        let file = try OpenFile(url, flags: O_RDONLY, failure: .read)
        let bytes = try file.bytes(at: 0, count: try file.size())
        let json = try? JSONSerialization.jsonObject(with: Data(bytes))
        if let list = json as? [Any] {
            let conversations = list.compactMap { $0 as? [String: Any] }
            if conversations.contains(where: { $0["mapping"] is [String: Any] }) {
                return outcome(.chatgpt, list, ChatGPTExport.conversation)
            }
            if conversations.contains(where: { $0["chat_messages"] is [Any] }) {
                return outcome(.claude, list, ClaudeExport.conversation)
            }
            if conversations.contains(where: { $0["conversations"] is [Any] }) {
                return outcome(.sharegpt, list, ShareGPTFile.conversation)
            }
        }
        return try lines(bytes, url)
    }

    private static func outcome(
        _ format: Format, _ list: [Any], _ read: ([String: Any]) -> ImportedConversation?
    ) -> Outcome {
        var exchanges: [Exchange] = []
        var skipped = 0
        for item in list {
            if let conversation = (item as? [String: Any]).flatMap(read) {
                exchanges += conversation.exchanges
            } else {
                skipped += 1
            }
        }
        return Outcome(format: format, exchanges: exchanges, skipped: skipped)
    }

    private static func lines(_ bytes: [UInt8], _ url: URL) throws(LogError) -> Outcome {
        var exchanges: [Exchange] = []
        var skipped = 0
        var isShareGPT = false
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            switch LogLine.parse(Array(line), number: index + 1) {
            case .blank: break
            case .issue: skipped += 1
            case .exchange(var exchange, _):
                let object = (try? JSONSerialization.jsonObject(with: Data(line))) as? [String: Any]
                if let object, object["conversations"] is [Any], object["messages"] == nil,
                    let conversation = ShareGPTFile.conversation(object)
                {
                    isShareGPT = true
                    exchanges += conversation.exchanges
                } else {
                    // A line's number is no part of what was said: it would be another id elsewhere.
                    if exchange.id == exchange.contentHash.exchangeID(line: index + 1) {
                        exchange.id = exchange.contentHash.exchangeID
                    }
                    exchanges.append(exchange)
                }
            }
        }
        guard !exchanges.isEmpty else {
            throw .importUnknown(
                path: url.path,
                expected: "the conversations.json of ChatGPT or Claude (unpack the archive first), "
                    + "ShareGPT, or JSON lines with “messages”")
        }
        return Outcome(
            format: isShareGPT ? .sharegpt : .jsonl, exchanges: exchanges, skipped: skipped)
    }
}

/// A conversation of another program: its messages with their times.
package struct ImportedConversation {
    struct Message {
        let role: ChatMessage.Role
        let text: String
        let time: Date?
    }

    let session: String?
    /// The time of messages that have none.
    package let time: Date?
    let model: String?
    let messages: [Message]

    /// What a person said, with all that was answered until they spoke again.
    package var exchanges: [Exchange] {
        var exchanges: [Exchange] = []
        var turn: [Message] = []
        func close() {
            defer { turn = [] }
            guard let first = turn.first else { return }
            var merged: [ChatMessage] = []
            for message in turn {
                if merged.last?.role == message.role, let last = merged.popLast() {
                    merged.append(
                        ChatMessage(
                            role: last.role, content: last.content + "\n\n" + message.text))
                } else {
                    merged.append(ChatMessage(role: message.role, content: message.text))
                }
            }
            var exchange = Exchange(
                id: "", timestamp: first.time ?? time, session: session, messages: merged,
                model: model)
            exchange.tags = ChatTags.found(in: exchange)
            exchange.id = exchange.contentHash.exchangeID
            exchanges.append(exchange)
        }
        for message in messages
        where message.text.contains(where: { !$0.isWhitespace }) {
            if message.role == .user, turn.last?.role == .assistant { close() }
            turn.append(message)
        }
        close()
        return exchanges
    }
}

/// One conversation of ChatGPT's export: a tree of messages, of which one branch was the last.
package enum ChatGPTExport {
    static func conversation(_ object: [String: Any]) -> ImportedConversation? {
        guard let mapping = object["mapping"] as? [String: [String: Any]] else { return nil }
        var next = object["current_node"] as? String ?? lastLeaf(of: mapping)
        var branch: [ImportedConversation.Message] = []
        var model: String?
        var visited: Set<String> = []
        while let id = next, let node = mapping[id], visited.insert(id).inserted {
            if let message = node["message"] as? [String: Any] {
                if let read = self.message(message) { branch.append(read) }
                let metadata = message["metadata"] as? [String: Any]
                model = model ?? metadata?["model_slug"] as? String
            }
            next = node["parent"] as? String
        }
        return ImportedConversation(
            session: (object["conversation_id"] ?? object["id"]) as? String,
            time: date(object["create_time"]), model: model, messages: branch.reversed())
    }

    private static func message(_ object: [String: Any]) -> ImportedConversation.Message? {
        let metadata = object["metadata"] as? [String: Any]
        if metadata?["is_visually_hidden_from_conversation"] as? Bool == true { return nil }
        // What is addressed to a tool is no reply to the person.
        if let recipient = object["recipient"] as? String, recipient != "all" { return nil }
        let role: ChatMessage.Role
        switch (object["author"] as? [String: Any])?["role"] as? String {
        case "user": role = .user
        case "assistant": role = .assistant
        default: return nil
        }
        guard let content = object["content"] as? [String: Any] else { return nil }
        let kind = content["content_type"] as? String ?? "text"
        guard ["text", "multimodal_text"].contains(kind) else { return nil }
        let parts = (content["parts"] as? [Any] ?? []).compactMap { $0 as? String }
        return ImportedConversation.Message(
            role: role, text: parts.joined(separator: "\n"), time: date(object["create_time"]))
    }

    private static func lastLeaf(of mapping: [String: [String: Any]]) -> String? {
        mapping.filter { ($0.value["children"] as? [Any])?.isEmpty ?? true }
            .max { first, second in
                func time(_ node: [String: Any]) -> Double {
                    let message = node["message"] as? [String: Any]
                    return (message?["create_time"] as? NSNumber)?.doubleValue ?? 0
                }
                return (time(first.value), first.key) < (time(second.value), second.key)
            }?.key
    }

    private static func date(_ value: Any?) -> Date? {
        (value as? NSNumber).map { Date(timeIntervalSince1970: $0.doubleValue) }
    }
}

/// One conversation of Claude's export.
package enum ClaudeExport {
    static func conversation(_ object: [String: Any]) -> ImportedConversation? {
        guard let list = object["chat_messages"] as? [[String: Any]] else { return nil }
        let messages = list.compactMap { item -> ImportedConversation.Message? in
            let role: ChatMessage.Role
            switch item["sender"] as? String {
            case "human": role = .user
            case "assistant": role = .assistant
            default: return nil
            }
            // Newer exports keep the words in parts, beside thoughts and tools; older ones in one text.
            let parts = (item["content"] as? [[String: Any]] ?? [])
                .filter { $0["type"] as? String == "text" }.compactMap { $0["text"] as? String }
            let text = parts.isEmpty ? item["text"] as? String ?? "" : parts.joined(separator: "\n")
            return ImportedConversation.Message(
                role: role, text: text,
                time: (item["created_at"] as? String).flatMap(Timestamp.date))
        }
        return ImportedConversation(
            session: object["uuid"] as? String,
            time: (object["created_at"] as? String).flatMap(Timestamp.date), model: nil,
            messages: messages)
    }
}

/// One conversation of a ShareGPT file.
package enum ShareGPTFile {
    static func conversation(_ object: [String: Any]) -> ImportedConversation? {
        guard let line = try? JSONSerialization.data(withJSONObject: object),
            case .exchange(let whole, _) = LogLine.parse([UInt8](line), number: 2)
        else { return nil }
        let id = object["id"].map { "\($0)" }
        return ImportedConversation(
            session: whole.session ?? id, time: whole.timestamp, model: whole.model,
            messages: whole.spokenMessages.map {
                ImportedConversation.Message(role: $0.role, text: $0.content, time: nil)
            })
    }
}
