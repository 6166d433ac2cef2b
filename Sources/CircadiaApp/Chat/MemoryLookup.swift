import CircadiaAnalysis
import CircadiaConversation
import CircadiaRetrieval
import CircadiaTokenizer
import Foundation

/// Retrieval for a chat: finds memories before a reply and stores the exchange after it.
package struct MemoryLookup {
    /// The default number of tokens that memories may take of a prompt.
    package static let defaultTokenBudget = 512

    private let store: any ExchangeStore
    private let keepsSecrets: Bool
    private let tokenizer: BPETokenizer
    private let limit: Int
    private let tokenBudget: Int

    /// The memories for a message and their cost.
    package struct Outcome: Sendable {
        /// The memories above the threshold, best first.
        package let memories: [Memory]
        /// The text that shows them to the model; nil if there is none.
        package let block: MemoryBlock.Rendering?
        /// The duration of the search in milliseconds.
        package let milliseconds: Double
    }

    /// Makes retrieval from a store.
    ///
    /// - Parameters:
    ///   - store: the retrieval store.
    ///   - keepsSecrets: whether to store exchanges with their secrets.
    ///   - tokenizer: the chat model's tokenizer, which counts the tokens of memories.
    ///   - limit: the most memories to show for a message.
    ///   - tokenBudget: the most tokens of a prompt that they may take.
    package init(
        store: any ExchangeStore, keepsSecrets: Bool, tokenizer: BPETokenizer, limit: Int,
        tokenBudget: Int = defaultTokenBudget
    ) {
        self.store = store
        self.keepsSecrets = keepsSecrets
        self.tokenizer = tokenizer
        self.limit = limit
        self.tokenBudget = tokenBudget
    }

    /// Finds the memories for a message.
    ///
    /// - Throws: errors of the store.
    func lookUp(_ message: String) throws -> Outcome {
        let start = Date()
        let memories = try store.relevant(to: message, limit: limit, now: Date())
        return Outcome(
            memories: memories,
            block: Self.block(memories, tokenBudget: tokenBudget, tokenizer: tokenizer),
            milliseconds: Date().timeIntervalSince(start) * 1000)
    }

    /// Adds an exchange to the store.
    ///
    /// - Throws: errors of the store.
    func remember(_ exchange: CleanExchange) throws {
        try store.ingest([exchange], policy: .chat, keepingSecrets: keepsSecrets)
    }

    /// Updates the tags of a stored exchange.
    ///
    /// - Throws: errors of the store.
    func setTags(of exchange: Exchange) throws {
        try store.setTags(exchange.tags, of: exchange.id)
    }

    /// The text that shows memories to the model, cut to a budget in tokens; nil if there is none.
    package static func block(
        _ memories: [Memory], tokenBudget: Int, tokenizer: BPETokenizer
    ) -> MemoryBlock.Rendering? {
        MemoryBlock.rendering(of: memories, budget: tokenBudget) {
            tokenizer.encode($0, special: .plain).count
        }
    }

    /// The tokens of the memories' plain texts, best last, for lookup decoding. The shown block is
    /// less useful for guesses, because replies seldom repeat its quotation marks.
    package static func quotable(_ memories: [Memory], tokenizer: BPETokenizer) -> [Int32] {
        memories.reversed().flatMap { tokenizer.encode($0.text, special: .plain) }
    }
}
