import CircadiaFiles
import Foundation

/// One exchange of a chat: what was asked and what was answered, with when and where.
///
/// It is one line of `data/memories.jsonl`. Only `messages` is required in a file; see
/// `ChatLog.read` for what else is understood.
package struct Exchange: Sendable, Hashable {
    /// The tag of an exchange that the model made up during a night (`sleep --augment`).
    package static let syntheticTag = "synthetic"
    /// The tag with which a person keeps an exchange out of training.
    package static let noTrainTag = "no-train"
    /// The tag with which a person keeps an exchange out of the retrieval store.
    package static let noRetrievalTag = "no-rag"

    /// The tag of running text, which is the one message and is read without a chat around it.
    package static let proseTag = "prose"
    /// The tag of an exchange whose reply a person called good (`/good` in a chat).
    package static let goodTag = "good"
    /// The tag of an exchange whose reply a person called bad (`/bad`).
    package static let badTag = "bad"
    /// The tag of an exchange that corrects the reply before it in its session (`/bad TEXT`).
    package static let correctionTag = "correction"

    /// Begins a tag that names a memory which the model was shown before it replied:
    /// `recalled:<id>`.
    package static let recalledTagPrefix = "recalled:"

    /// Names the exchange in every report, index and score.
    package var id: String
    /// When it happened, in whole milliseconds; nil where the log does not say.
    package var timestamp: Date?
    /// The conversation it belongs to.
    package var session: String?
    /// The messages, in order.
    package var messages: [ChatMessage]
    /// The model that answered.
    package var model: String?
    /// The adapter that the model wore.
    package var adapter: String?
    /// Marks such as `no-train`, without the leading `#`.
    package var tags: [String]

    /// Makes an exchange; the time is cut to whole milliseconds, which is what the log keeps.
    package init(
        id: String = Exchange.makeID(), timestamp: Date? = nil, session: String? = nil,
        messages: [ChatMessage], model: String? = nil, adapter: String? = nil,
        tags: [String] = []
    ) {
        self.id = id
        self.timestamp = timestamp.map(Timestamp.wholeMilliseconds)
        self.session = session
        self.messages = messages
        self.model = model
        self.adapter = adapter
        self.tags = tags
    }

    /// Whether the reply was written with memories in view.
    package var isRecalled: Bool { tags.contains { $0.hasPrefix(Self.recalledTagPrefix) } }

    /// A new random id: 32 lower-case hexadecimal digits.
    package static func makeID() -> String {
        UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased()
    }

    /// The messages that people and models exchanged; system messages are instructions, not talk.
    package var spokenMessages: [ChatMessage] {
        messages.filter { $0.role != .system }
    }

    /// What was said, each message with its speaker: `user: …`, `assistant: …`.
    package var transcript: String {
        spokenMessages.map { "\($0.role.rawValue): \($0.content)" }.joined(separator: "\n")
    }

    /// The hash of messages, time and session: equal for the same exchange read twice, whatever its
    /// id or tags are.
    package var contentHash: ContentHash {
        var hash = ContentDigest()
        for message in messages {
            hash.update(utf8: "\(message.role.rawValue)\u{1F}\(message.content.utf8.count)\u{1F}")
            hash.update(utf8: message.content)
        }
        hash.update(utf8: "\u{1E}" + (timestamp.map(Timestamp.string) ?? ""))
        hash.update(utf8: "\u{1E}" + (session ?? ""))
        return ContentHash(rawValue: hash.hexadecimal)
    }
}

extension Exchange: Codable {
    private enum CodingKeys: String, CodingKey {
        case id, timestamp, session, messages, model, adapter, tags
    }

    /// Reads the project's own form; `id` and `messages` must be there, the time is RFC 3339.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        var time: Date?
        if let text = try container.decodeIfPresent(String.self, forKey: .timestamp) {
            guard let date = Timestamp.date(text) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .timestamp, in: container, debugDescription: "not an RFC 3339 time")
            }
            time = date
        }
        self.init(
            id: try container.decode(String.self, forKey: .id), timestamp: time,
            session: try container.decodeIfPresent(String.self, forKey: .session),
            messages: try container.decode([ChatMessage].self, forKey: .messages),
            model: try container.decodeIfPresent(String.self, forKey: .model),
            adapter: try container.decodeIfPresent(String.self, forKey: .adapter),
            tags: try container.decodeIfPresent([String].self, forKey: .tags) ?? [])
    }

    /// Writes the project's own form; what is not known is left out.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encodeIfPresent(timestamp.map(Timestamp.string), forKey: .timestamp)
        try container.encodeIfPresent(session, forKey: .session)
        try container.encode(messages, forKey: .messages)
        try container.encodeIfPresent(model, forKey: .model)
        try container.encodeIfPresent(adapter, forKey: .adapter)
        if !tags.isEmpty { try container.encode(tags, forKey: .tags) }
    }
}
