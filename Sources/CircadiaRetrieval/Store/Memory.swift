import CircadiaConversation
import Foundation

/// One exchange that a search found.
package struct Memory: Sendable, Hashable, Codable {
    /// The exchange's id.
    package let id: String
    /// How well it fits, from 0 to about 1; comparable within one search only.
    package let score: Double
    /// When it happened.
    package let timestamp: Date?
    /// The conversation it belongs to.
    package let session: String?
    /// What was said, verbatim, each message with its speaker.
    package let text: String
    /// The exchange's tags.
    package let tags: [String]
    /// The parts of the score, for people who ask why.
    package let evidence: Evidence
    /// Older exchanges that this one stands for; only `ExchangeStore.relevant` fills it.
    package internal(set) var earlier: [Earlier] = []

    /// An older exchange that is not shown to a model, because a newer one says the same or says what
    /// holds now.
    package struct Earlier: Sendable, Hashable, Codable {
        /// The exchange's id.
        package let id: String
        /// When it happened.
        package let timestamp: Date?
        /// What was said, verbatim.
        package let text: String
        /// Whether the newer one contradicts it; else it says nearly the same.
        package let isContradicted: Bool
    }

    /// Why an exchange was found.
    package struct Evidence: Sendable, Hashable, Codable {
        /// BM25 over the exchange and its neighbours, as a share of the best of this search.
        package let lexical: Double
        /// The share of what the question's words tell (by rarity) that the exchange and its
        /// neighbours hold: 1 if every word is there.
        package let coverage: Double
        /// Cosine of question and exchange; 0 where the store has no vectors.
        package let dense: Double
        /// Cosine of question and neighbourhood.
        package let neighbourhood: Double
        /// What time words in the question added.
        package let time: Double
    }

    /// The lexical part of the score, from 0 to 1.
    package var lexicalScore: Double { evidence.lexical }
    /// The cosine of question and exchange.
    package var denseScore: Double { evidence.dense }

    /// Whether it is near enough to the question to be shown to a model that did not ask for it.
    ///
    /// The best of a search is only the best of what there is; this asks for evidence that does
    /// not depend on the others.
    package var isRelevant: Bool { RelevanceFloor.accepts(score: score, evidence) }
}

extension Memory {
    /// An exchange that is meant for certain, as if a search had found all of it.
    package init(_ exchange: Exchange) {
        self.init(
            id: exchange.id, score: 1, timestamp: exchange.timestamp, session: exchange.session,
            text: exchange.transcript, tags: exchange.tags,
            evidence: Evidence(lexical: 1, coverage: 1, dense: 1, neighbourhood: 1, time: 0))
    }
}
