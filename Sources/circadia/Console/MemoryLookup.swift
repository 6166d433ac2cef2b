import CircadiaAnalysis
import CircadiaConversation
import CircadiaHub
import CircadiaModel
import CircadiaRetrieval
import CircadiaTokenizer
import Foundation

/// Retrieval for a chat: looks up before a reply, remembers after it.
///
/// A store that fails while people talk is a warning, never the end of the chat: the log has every
/// exchange, and `circadia rag ingest` brings in later what is missing here.
struct MemoryLookup {
    /// Tokens of a prompt that memories may take, unless a flag says otherwise.
    static let defaultTokenBudget = 512

    private let store: any ExchangeStore
    private let keepsSecrets: Bool
    private let tokenizer: BPETokenizer
    private let console: Console

    /// What was found for a message, and what it cost.
    struct Outcome {
        /// The memories above the threshold, best first.
        let memories: [Memory]
        /// What the model is shown of them; nil where nothing is near.
        let block: MemoryBlock.Rendering?
        /// The time that it took.
        let milliseconds: Double
    }

    init(
        location: StoreLocation, keepsSecrets: Bool, tokenizer: BPETokenizer, console: Console
    ) throws {
        store = try Self.open(location)
        self.keepsSecrets = keepsSecrets
        self.tokenizer = tokenizer
        self.console = console
    }

    /// Opens a store with the sentence embedder.
    static func open(_ location: StoreLocation) throws -> any ExchangeStore {
        try location.open(embedder: embedder())
    }

    /// The sentence embedder, in bf16 where the processor multiplies that: vectors differ less from the
    /// exact ones than a search can tell.
    static func embedder() throws -> SentenceEmbedder {
        try SentenceEmbedder(
            directory: ModelStore.resolve("all-minilm-l6-v2"), precision: .bf16)
    }

    /// What is near the message, in at most `tokenBudget` tokens; nothing where the store fails.
    func lookUp(_ message: String, limit: Int, tokenBudget: Int) -> Outcome {
        let start = Date()
        var memories: [Memory] = []
        do {
            memories = try store.relevant(to: message, limit: limit, now: Date())
        } catch {
            console.warn("\(error)")
        }
        return Outcome(
            memories: memories,
            block: Self.block(memories, tokenBudget: tokenBudget, tokenizer: tokenizer),
            milliseconds: Date().timeIntervalSince(start) * 1000)
    }

    /// Takes an exchange in; a failure is only reported.
    func remember(_ exchange: CleanExchange) {
        do {
            try store.ingest([exchange], policy: .chat, keepingSecrets: keepsSecrets)
        } catch {
            console.warn("\(error)")
            console.warn("exchange \(exchange.id) is in the log, but not in the retrieval store")
        }
    }

    /// Gives a stored exchange its new tags; a failure is only reported.
    func setTags(of exchange: Exchange) {
        do {
            try store.setTags(exchange.tags, of: exchange.id)
        } catch {
            console.warn("\(error)")
        }
    }

    /// What a model is shown of memories.
    static func block(
        _ memories: [Memory], tokenBudget: Int, tokenizer: BPETokenizer
    ) -> MemoryBlock.Rendering? {
        MemoryBlock.rendering(of: memories, budget: tokenBudget) {
            tokenizer.encode($0, special: .plain).count
        }
    }

    /// Tokens of the memories as they were said, best last: a reply seldom repeats the marks with
    /// which the block quotes each line, and guesses that lookup decoding takes from the block end
    /// there.
    static func quotable(_ memories: [Memory], tokenizer: BPETokenizer) -> [Int32] {
        memories.reversed().flatMap { tokenizer.encode($0.text, special: .plain) }
    }

    /// Shows what was found, why, and what it cost.
    static func show(_ outcome: Outcome, console: Console) {
        let shown = outcome.block?.shown.count ?? 0
        for (index, memory) in outcome.memories.enumerated() {
            console.note(line(memory) + (index < shown ? "" : "  (no room for it)"))
            for earlier in memory.earlier { console.note(line(earlier)) }
        }
        let time = String(format: "%.1f ms", outcome.milliseconds)
        console.note(
            outcome.memories.isEmpty
                ? "  (no memory is near; \(time))"
                : "  (\(shown) memories, \(outcome.block?.cost ?? 0) tokens of the prompt, \(time))"
        )
    }

    /// An older exchange that a memory stands for, on one line.
    static func line(_ earlier: Memory.Earlier) -> String {
        let date = earlier.timestamp.map(Timestamp.day) ?? "undated"
        let text = earlier.text.replacingOccurrences(of: "\n", with: " ").prefix(100)
        let reason = earlier.isContradicted ? "no longer holds" : "says nearly the same"
        return "    not shown, \(reason): \(date)  \(earlier.id)  \(text)"
    }

    /// One memory on one line: score, its parts, date, id, beginning of the text.
    static func line(_ memory: Memory) -> String {
        let date = memory.timestamp.map(Timestamp.day) ?? "undated"
        let text = memory.text.replacingOccurrences(of: "\n", with: " ").prefix(100)
        let score = String(
            format: "%.3f (lexical %.2f, words %.2f, dense %.2f, time %.2f)", memory.score,
            memory.lexicalScore, memory.evidence.coverage, memory.denseScore, memory.evidence.time)
        return "  \(score)  \(date)  \(memory.id)  \(text)"
    }
}
