import CircadiaFormats
import CircadiaMemory
import CircadiaModel
import Foundation
import Testing

/// How often a chat is reminded of something: for questions about its own past, and for questions
/// about somebody else's, which it knows nothing of.
@Suite("Relevance floor")
struct RelevanceTests {
    private static let conversations = [26, 30, 41, 42, 43]
    private static let embedderModel = try? ModelStore.resolve("all-minilm-l6-v2")
    private static let shared = ProcessInfo.processInfo.environment["CIRCADIA_SHARED"]
        .map { URL(fileURLWithPath: $0).appendingPathComponent("locomo") }

    @Test(
        "Own questions bring memories far more often than other people's",
        .enabled(if: shared != nil && embedderModel != nil))
    func rates() throws {
        let source = try #require(Self.shared)
        let embedder = try SentenceEmbedder(directory: #require(Self.embedderModel))
        let questions = try Self.conversations.map {
            try RetrievalQuestion.read(source.appendingPathComponent("questions-\($0).jsonl"))
        }
        var asked = [0, 0]
        var reminded = [0, 0]
        var right = 0
        var table = ""
        for (index, conversation) in Self.conversations.enumerated() {
            let folder = try TemporaryFolder()
            let store = try RetrievalStore(directory: folder.file("rag"), embedder: embedder)
            let log = try ChatLog.read(
                source.appendingPathComponent("memories-\(conversation).jsonl"), repairing: false)
            try store.ingest(log.exchanges, selection: .everything)
            for kind in 0..<2 {
                let other = (index + kind) % questions.count
                for question in questions[other] where !question.evidence.isEmpty {
                    let found = try store.relevant(to: question.question, limit: 3)
                    asked[kind] += 1
                    if !found.isEmpty { reminded[kind] += 1 }
                    let isHit = found.contains { question.evidence.contains($0.id) }
                    if kind == 0 && isHit { right += 1 }
                    for memory in try store.search(question.question, limit: 3) {
                        let hit = kind == 0 && question.evidence.contains(memory.id)
                        table += "\(kind)\t\(asked[kind])\t\(hit ? 1 : 0)\t"
                        table += "\(memory.evidence.dense)\t\(memory.evidence.coverage)\t"
                        table += "\(memory.evidence.neighbourhood)\n"
                    }
                }
            }
        }
        let shares = zip(reminded, asked).map { Double($0) / Double($1) }
        print(
            "relevance: own questions \(reminded[0]) of \(asked[0]) (\(shares[0])), answer shown "
                + "\(right); other people's \(reminded[1]) of \(asked[1]) (\(shares[1]))")
        if let path = ProcessInfo.processInfo.environment["CIRCADIA_CALIBRATION"] {
            try Data(table.utf8).write(to: URL(fileURLWithPath: path))
        }
        #expect(shares[0] > 2 * shares[1])
    }
}
