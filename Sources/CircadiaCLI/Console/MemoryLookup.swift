import CircadiaFormats
import CircadiaMemory
import CircadiaModel
import CircadiaTokenizer
import Foundation

/// Retrieval for a chat: looks up before a reply, remembers after it.
///
/// A store that fails while people talk is a warning, never the end of the chat: the log has every
/// exchange, and `circadia rag ingest` brings in later what is missing here.
struct MemoryLookup {
    private let store: RetrievalStore
    private let console: Console

    init(folder: String, console: Console) throws {
        store = try Self.open(folder)
        self.console = console
    }

    /// Opens a store with the sentence embedder.
    static func open(_ folder: String) throws -> RetrievalStore {
        let embedder = try SentenceEmbedder(
            directory: ModelStore.resolve("all-minilm-l6-v2"))
        return try RetrievalStore(
            directory: URL(fileURLWithPath: folder, isDirectory: true), embedder: embedder)
    }

    /// Characters that remembered text may take of a prompt.
    static let blockBudget = 2000

    /// What is near the message; nothing where the store fails.
    func lookUp(_ message: String, limit: Int) -> [Memory] {
        do {
            return try store.relevant(to: message, limit: limit, now: Date())
        } catch {
            console.warn("\(error)")
            return []
        }
    }

    /// Takes an exchange in; a failure is only reported.
    func remember(_ exchange: Exchange) {
        do {
            try store.ingest([exchange], selection: .everything)
        } catch {
            console.warn("\(error)")
            console.warn("exchange \(exchange.id) is in the log, but not in the retrieval store")
        }
    }

    static func block(_ memories: [Memory]) -> String? {
        MemoryBlock.render(memories, budget: blockBudget)
    }

    /// Tokens of the memories as they were said, best last: a reply seldom repeats the marks with
    /// which the block quotes each line, and guesses that lookup decoding takes from the block end
    /// there.
    static func quotable(_ memories: [Memory], tokenizer: BPETokenizer) -> [Int32] {
        memories.reversed().flatMap { tokenizer.encode($0.text, special: .plain) }
    }

    static func show(_ memories: [Memory], console: Console) {
        for memory in memories {
            console.note(Self.line(memory))
        }
        if memories.isEmpty { console.note("  (no memory is near)") }
    }

    /// One memory on one line: score, its parts, date, id, beginning of the text.
    static func line(_ memory: Memory) -> String {
        let date = memory.timestamp.map(Timestamp.day) ?? "undated"
        let text = memory.text.replacingOccurrences(of: "\n", with: " ").prefix(100)
        let score = String(
            format: "%.3f (lexical %.2f, dense %.2f)", memory.score, memory.lexicalScore,
            memory.denseScore)
        return "  \(score)  \(date)  \(memory.id)  \(text)"
    }
}
