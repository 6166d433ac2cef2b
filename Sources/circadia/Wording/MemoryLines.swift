import CircadiaApp
import CircadiaConversation
import CircadiaRetrieval
import Foundation

/// Memories as lines for people.
enum MemoryLines {
    /// Shows the memories found, their scores and their cost.
    static func show(_ outcome: MemoryLookup.Outcome, console: Console) {
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

    /// One line for an older exchange that a memory replaces.
    static func line(_ earlier: Memory.Earlier) -> String {
        let date = earlier.timestamp.map(Timestamp.day) ?? "undated"
        let text = earlier.text.replacingOccurrences(of: "\n", with: " ").prefix(100)
        let reason = earlier.isContradicted ? "no longer holds" : "says nearly the same"
        return "    not shown, \(reason): \(date)  \(earlier.id)  \(text)"
    }

    /// One line for a memory: score and its parts, date, id and the beginning of the text.
    static func line(_ memory: Memory) -> String {
        let date = memory.timestamp.map(Timestamp.day) ?? "undated"
        let text = memory.text.replacingOccurrences(of: "\n", with: " ").prefix(100)
        let score = String(
            format: "%.3f (lexical %.2f, words %.2f, dense %.2f, time %.2f)", memory.score,
            memory.lexicalScore, memory.evidence.coverage, memory.denseScore, memory.evidence.time)
        return "  \(score)  \(date)  \(memory.id)  \(text)"
    }
}
