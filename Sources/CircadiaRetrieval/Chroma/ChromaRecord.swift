import CircadiaConversation
import Foundation

/// An exchange with the vectors of its pieces.
struct EmbeddedExchange: Sendable {
    let exchange: Exchange
    let pieces: [VectorPiece]
}

/// A vector and whose words it stands for.
typealias VectorPiece = (side: VectorSide, vector: [Float])

/// Names a record: `<exchange's id>/<part><side>`, such as `4f…/0u`.
///
/// Part 0 is the exchange's head: its document is the whole exchange, and without it the other
/// parts count for nothing. Every exchange has one, and it is written last.
struct ChromaRecordID: Hashable {
    let exchange: String
    let part: Int
    let side: VectorSide

    private static let letters: [VectorSide: Character] = [.whole: "w", .user: "u", .other: "o"]

    init(exchange: String, part: Int, side: VectorSide) {
        self.exchange = exchange
        self.part = part
        self.side = side
    }

    /// Nil for what no circadia wrote.
    init?(_ text: String) {
        guard let slash = text.lastIndex(of: "/"), let letter = text.last,
            let side = Self.letters.first(where: { $0.value == letter })?.key,
            let part = Int(text[text.index(after: slash)...].dropLast()), part >= 0
        else { return nil }
        self.init(exchange: String(text[..<slash]), part: part, side: side)
    }

    var text: String { "\(exchange)/\(part)\(Self.letters[side] ?? "w")" }
}

/// What a record says of itself besides its vector and text. Times are since 1970.
struct ChromaMetadata: Codable {
    /// The exchange's id: `where` finds all its records by it.
    var exchange: String
    var part: Int
    var contentHash: ContentHash
    /// What only the head knows.
    var head: Head?

    struct Head: Codable {
        /// Records of the exchange.
        var parts: Int
        /// The roles and UTF-8 lengths of the messages in the document.
        var layout: String
        var session: String?
        var milliseconds: Int64?
        var model: String?
        var adapter: String?
        /// A JSON array.
        var tags: String
        /// Microseconds: exchanges are in the order in which they arrived.
        var arrival: Int64
        /// When it was changed last, if ever.
        var edited: Int64?

        enum CodingKeys: String, CodingKey {
            case parts, layout, session, milliseconds, model, adapter, tags, arrival, edited
        }

        /// Writes every field: Chroma keeps what an earlier version had and this one leaves out,
        /// and takes away what is null.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(parts, forKey: .parts)
            try container.encode(layout, forKey: .layout)
            try container.encode(session, forKey: .session)
            try container.encode(milliseconds, forKey: .milliseconds)
            try container.encode(model, forKey: .model)
            try container.encode(adapter, forKey: .adapter)
            try container.encode(tags, forKey: .tags)
            try container.encode(arrival, forKey: .arrival)
            try container.encode(edited, forKey: .edited)
        }
    }

    enum CodingKeys: String, CodingKey {
        case exchange, part
        case contentHash = "content_hash"
    }

    init(exchange: String, part: Int, contentHash: ContentHash, head: Head?) {
        self.exchange = exchange
        self.part = part
        self.contentHash = contentHash
        self.head = head
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        exchange = try container.decode(String.self, forKey: .exchange)
        part = try container.decode(Int.self, forKey: .part)
        contentHash = try container.decode(ContentHash.self, forKey: .contentHash)
        head = part == 0 ? try Head(from: decoder) : nil
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(exchange, forKey: .exchange)
        try container.encode(part, forKey: .part)
        try container.encode(contentHash, forKey: .contentHash)
        try head?.encode(to: encoder)
    }
}

/// One record to write.
struct ChromaRecord {
    let id: ChromaRecordID
    let vector: [Float]
    let document: String?
    let metadata: ChromaMetadata

    /// The records of an exchange, the head first.
    static func records(
        of embedded: EmbeddedExchange, arrival: Int64, edited: Int64?
    ) -> [ChromaRecord] {
        let exchange = embedded.exchange
        let hash = exchange.contentHash
        let texts = RetrievalStore.texts(of: exchange)
        // Vectors of an older store may stand for other pieces than today's.
        let isKnown = texts.map(\.side) == embedded.pieces.map(\.side)
        return embedded.pieces.enumerated().map { part, piece in
            var head: ChromaMetadata.Head?
            if part == 0 {
                head = ChromaMetadata.Head(
                    parts: embedded.pieces.count, layout: layout(of: exchange.messages),
                    session: exchange.session,
                    milliseconds: RetrievalStore.milliseconds(exchange.timestamp),
                    model: exchange.model, adapter: exchange.adapter, tags: json(exchange.tags),
                    arrival: arrival, edited: edited)
            }
            return ChromaRecord(
                id: ChromaRecordID(exchange: exchange.id, part: part, side: piece.side),
                vector: piece.vector,
                document: part == 0
                    ? document(of: exchange.messages) : isKnown ? texts[part].text : nil,
                metadata: ChromaMetadata(
                    exchange: exchange.id, part: part, contentHash: hash, head: head))
        }
    }

    static func json(_ tags: [String]) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        return (try? encoder.encode(tags)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    }

    // MARK: An exchange as a document

    /// Each message with its speaker, as people read it.
    private static func document(of messages: [ChatMessage]) -> String {
        messages.map { "\($0.role.rawValue): \($0.content)" }.joined(separator: "\n")
    }

    /// `user:12,assistant:340`: with it the document can be cut into messages again.
    private static func layout(of messages: [ChatMessage]) -> String {
        messages.map { "\($0.role.rawValue):\($0.content.utf8.count)" }.joined(separator: ",")
    }

    /// The exchange of a head; nil where its document is not what was written.
    static func exchange(_ metadata: ChromaMetadata, document: String?) -> Exchange? {
        guard let head = metadata.head, let document,
            let messages = messages(in: document, layout: head.layout)
        else { return nil }
        let exchange = Exchange(
            id: metadata.exchange, timestamp: RetrievalStore.date(head.milliseconds),
            session: head.session, messages: messages, model: head.model, adapter: head.adapter,
            tags: (try? RetrievalStore.tags(head.tags)) ?? [])
        return exchange.contentHash == metadata.contentHash ? exchange : nil
    }

    private static func messages(in document: String, layout: String) -> [ChatMessage]? {
        var rest = Array(document.utf8)[...]
        var messages: [ChatMessage] = []
        for entry in layout.split(separator: ",") {
            let parts = entry.split(separator: ":")
            guard parts.count == 2, let role = ChatMessage.Role(rawValue: String(parts[0])),
                let byteCount = Int(parts[1]), byteCount >= 0
            else { return nil }
            let start = (messages.isEmpty ? 0 : 1) + role.rawValue.utf8.count + 2
            guard rest.count >= start + byteCount else { return nil }
            rest = rest.dropFirst(start)
            messages.append(
                ChatMessage(
                    role: role, content: String(decoding: rest.prefix(byteCount), as: UTF8.self)))
            rest = rest.dropFirst(byteCount)
        }
        return rest.isEmpty ? messages : nil
    }
}
