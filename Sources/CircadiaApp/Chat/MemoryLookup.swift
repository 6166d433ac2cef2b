import CircadiaAnalysis
import CircadiaConversation
import CircadiaRetrieval
import CircadiaTokenizer
import Foundation

/// Retrieval for a chat: looks up before a reply, remembers after it.
package struct MemoryLookup {
    /// Tokens of a prompt that memories may take, unless a person sets another number.
    package static let defaultTokenBudget = 512

    private let store: any ExchangeStore
    private let keepsSecrets: Bool
    private let tokenizer: BPETokenizer
    private let limit: Int
    private let tokenBudget: Int

    /// What was found for a message, and what it cost.
    package struct Outcome: Sendable {
        /// The memories above the threshold, best first.
        package let memories: [Memory]
        /// What the model is shown of them; nil if nothing is near.
        package let block: MemoryBlock.Rendering?
        /// The time that it took.
        package let milliseconds: Double
    }

    /// Retrieval from a store.
    ///
    /// - Parameters:
    ///   - store: where memories are looked up and exchanges are kept.
    ///   - keepsSecrets: whether exchanges are stored with their secrets.
    ///   - tokenizer: the chat model's own; it measures what memories cost.
    ///   - limit: memories shown at most.
    ///   - tokenBudget: tokens of a prompt that they may take.
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

    /// What is near the message.
    ///
    /// - Throws: what the store throws.
    func lookUp(_ message: String) throws -> Outcome {
        let start = Date()
        let memories = try store.relevant(to: message, limit: limit, now: Date())
        return Outcome(
            memories: memories,
            block: Self.block(memories, tokenBudget: tokenBudget, tokenizer: tokenizer),
            milliseconds: Date().timeIntervalSince(start) * 1000)
    }

    /// Takes an exchange in.
    ///
    /// - Throws: what the store throws.
    func remember(_ exchange: CleanExchange) throws {
        try store.ingest([exchange], policy: .chat, keepingSecrets: keepsSecrets)
    }

    /// Gives a stored exchange its new tags.
    ///
    /// - Throws: what the store throws.
    func setTags(of exchange: Exchange) throws {
        try store.setTags(exchange.tags, of: exchange.id)
    }

    /// What a model is shown of memories.
    package static func block(
        _ memories: [Memory], tokenBudget: Int, tokenizer: BPETokenizer
    ) -> MemoryBlock.Rendering? {
        MemoryBlock.rendering(of: memories, budget: tokenBudget) {
            tokenizer.encode($0, special: .plain).count
        }
    }

    /// Tokens of the memories as they were said, best last: a reply seldom repeats the marks with
    /// which the block quotes each line, and guesses that lookup decoding takes from the block end
    /// there.
    package static func quotable(_ memories: [Memory], tokenizer: BPETokenizer) -> [Int32] {
        memories.reversed().flatMap { tokenizer.encode($0.text, special: .plain) }
    }
}
