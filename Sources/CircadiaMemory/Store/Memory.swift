import Foundation

/// One exchange that a search found.
public struct Memory: Sendable, Hashable, Codable {
    /// The exchange's id.
    public let id: String
    /// How well it fits, from 0 to about 1; comparable within one search only.
    public let score: Double
    /// When it happened.
    public let timestamp: Date?
    /// The conversation it belongs to.
    public let session: String?
    /// What was said, verbatim, each message with its speaker.
    public let text: String
    /// The exchange's tags.
    public let tags: [String]
    /// The parts of the score, for people who ask why.
    public let evidence: Evidence

    /// Why an exchange was found.
    public struct Evidence: Sendable, Hashable, Codable {
        /// BM25 over the exchange and its neighbours, as a share of the best of this search.
        public let lexical: Double
        /// The share of what the question's words tell (by rarity) that the exchange and its
        /// neighbours hold: 1 if every word is there.
        public let coverage: Double
        /// Cosine of question and exchange; 0 where the store has no vectors.
        public let dense: Double
        /// Cosine of question and neighbourhood.
        public let neighbourhood: Double
        /// What time words in the question added.
        public let time: Double
    }

    /// The lexical part of the score, from 0 to 1.
    public var lexicalScore: Double { evidence.lexical }
    /// The cosine of question and exchange.
    public var denseScore: Double { evidence.dense }

    /// Whether it is near enough to the question to be shown to a model that did not ask for it.
    ///
    /// The best of a search is only the best of what there is; this asks for evidence that does
    /// not depend on the others.
    public var isRelevant: Bool { RelevanceFloor.accepts(evidence) }
}

extension Memory {
    /// An exchange that is meant for certain, as if a search had found all of it.
    public init(_ exchange: Exchange) {
        self.init(
            id: exchange.id, score: 1, timestamp: exchange.timestamp, session: exchange.session,
            text: exchange.transcript, tags: exchange.tags,
            evidence: Evidence(lexical: 1, coverage: 1, dense: 1, neighbourhood: 1, time: 0))
    }
}

/// The evidence that an exchange must have before a chat is reminded of it.
///
/// Chosen on questions about a person's chats against small talk, sums, and requests that have
/// nothing to do with them.
public enum RelevanceFloor {
    /// A cosine that is enough by itself.
    public static let denseAlone = 0.45
    /// A cosine that is enough together with `coverage`.
    public static let denseWithWords = 0.25
    /// The share of the question's information that must be there, with some nearness.
    public static let coverage = 0.45
    /// The share that is enough by itself: nearly every telling word is there. Where there are
    /// vectors they must not speak against it.
    public static let coverageAlone = 0.85
    /// Below this cosine an exchange is about something else.
    public static let denseAgainst = 0.12

    static func accepts(_ evidence: Memory.Evidence) -> Bool {
        if evidence.dense >= denseAlone { return true }
        let hasVectors = evidence.dense != 0 || evidence.neighbourhood != 0
        if evidence.coverage >= coverageAlone, !hasVectors || evidence.dense >= denseAgainst {
            return true
        }
        return evidence.dense >= denseWithWords && evidence.coverage >= coverage
    }
}
