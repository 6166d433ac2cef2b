import CircadiaConversation
import Foundation

/// A fixed text by which a gate sees whether a night has changed more than it should: a conversation
/// whose reply is scored, prose, or a question that is put to the model.
package struct GeneralText: Sendable, Equatable {
    /// What a text stands for.
    package enum Kind: String, Codable, Sendable, CaseIterable {
        /// Short sums; their results alone are scored, what follows the last “=”.
        case arithmetic
        /// Word problems with their solutions.
        case math
        /// Everyday instructions with good replies.
        case instruction
        /// Plain prose, scored from its second token on.
        case prose
        /// A question without a reply: the model's own is looked at.
        case reply
    }

    /// Its name.
    package let id: String
    /// What it stands for.
    package let kind: Kind
    /// The conversation; empty for prose.
    package let messages: [ChatMessage]
    /// The prose; empty for a conversation.
    package let text: String

    /// Makes a text of a conversation.
    package init(id: String, kind: Kind, messages: [ChatMessage], text: String = "") {
        self.id = id
        self.kind = kind
        self.messages = messages
        self.text = text
    }

    private struct Line: Decodable {
        struct Message: Decodable {
            let role: String
            let content: String
        }
        let id: String
        let kind: Kind
        let messages: [Message]?
        let text: String?
    }

    /// Reads a file of texts, one JSON object a line: `id`, `kind`, and `messages` or, for prose,
    /// `text`.
    ///
    /// - Throws: `EvaluationError.promptsUnreadable`, `.badPrompt` with the line, `.noPrompts`.
    package static func load(_ url: URL) throws(EvaluationError) -> [GeneralText] {
        guard let data = try? Data(contentsOf: url) else {
            throw .promptsUnreadable(path: url.path, reason: "no such file, or reading it failed")
        }
        var texts: [GeneralText] = []
        let pieces = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, piece) in pieces.enumerated() where !piece.isEmpty {
            func bad(_ field: String, _ reason: String) -> EvaluationError {
                .badPrompt(path: url.path, line: index + 1, field: field, reason: reason)
            }
            guard let line = try? JSONDecoder().decode(Line.self, from: Data(piece)) else {
                throw bad("the line", "expected an object with id, kind, and messages or text")
            }
            var messages: [ChatMessage] = []
            for message in line.messages ?? [] {
                guard let role = ChatMessage.Role(rawValue: message.role) else {
                    throw bad("messages", "'\(message.role)' is no role")
                }
                messages.append(ChatMessage(role: role, content: message.content))
            }
            let last: ChatMessage.Role? =
                switch line.kind {
                case .prose: nil
                case .reply: .user
                default: .assistant
                }
            guard messages.last?.role == last, (line.kind == .prose) == (line.text != nil) else {
                throw bad("messages", "they do not fit the kind \(line.kind.rawValue)")
            }
            texts.append(
                GeneralText(
                    id: line.id, kind: line.kind, messages: messages, text: line.text ?? ""))
        }
        if texts.isEmpty { throw .noPrompts(path: url.path) }
        return texts
    }
}
