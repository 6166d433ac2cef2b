import CircadiaFormats
import CircadiaMemory
import CircadiaModel
import Foundation

/// Retrieval for a chat: looks up before a reply, remembers after it.
struct MemoryLookup {
    private let store: RetrievalStore

    init(folder: String) throws { store = try Self.open(folder) }

    /// Opens a store with the sentence embedder.
    static func open(_ folder: String) throws -> RetrievalStore {
        let embedder = try SentenceEmbedder(
            directory: ModelStore.resolve("all-minilm-l6-v2"))
        return try RetrievalStore(
            directory: URL(fileURLWithPath: folder, isDirectory: true), embedder: embedder)
    }

    /// Characters that remembered text may take of a prompt.
    static let blockBudget = 2000

    func lookUp(_ message: String, limit: Int) throws -> [Memory] {
        try store.relevant(to: message, limit: limit, now: Date())
    }

    func remember(_ exchange: Exchange) throws {
        try store.ingest([exchange], selection: .everything)
    }

    static func block(_ memories: [Memory]) -> String? {
        MemoryBlock.render(memories, budget: blockBudget)
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
