import CircadiaFormats
import CircadiaMemory
import CircadiaModel
import Foundation
import Testing

/// Five long conversations with questions whose evidence is known, where they are at hand. They
/// are not part of the project (their licence is non-commercial).
@Suite("Retrieval on LoCoMo")
struct LoCoMoTests {
    private static let conversations = [26, 30, 41, 42, 43]

    private static let folder: URL? = {
        let environment = ProcessInfo.processInfo.environment["CIRCADIA_SHARED"]
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let shared =
            environment.map { URL(fileURLWithPath: $0) }
            ?? package.deletingLastPathComponent().appendingPathComponent("shared")
        let folder = shared.appendingPathComponent("locomo")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    private static let embedderModel = try? ModelStore.resolve("all-minilm-l6-v2")

    /// Every question asked of a store of its own conversation.
    private func score(_ embedder: (any TextEmbedding)?) throws -> RetrievalScore {
        let source = try #require(Self.folder)
        var total = RetrievalScore()
        for conversation in Self.conversations {
            let folder = try TemporaryFolder()
            let store = try RetrievalStore(directory: folder.file("rag"), embedder: embedder)
            let log = try ChatLog.read(
                source.appendingPathComponent("memories-\(conversation).jsonl"), repairing: false)
            #expect(log.issues.isEmpty)
            try store.ingest(log.exchanges, selection: .everything)
            total.add(
                try store.score(
                    RetrievalQuestion.read(
                        source.appendingPathComponent("questions-\(conversation).jsonl"))))
        }
        #expect(total.questions == 760)
        return total
    }

    @Test("Words, neighbours and dates alone find most answers", .enabled(if: folder != nil))
    func lexical() throws {
        let total = try score(nil)
        #expect(total.recall(at: 1) >= 0.48)
        #expect(total.recall(at: 5) >= 0.79)
        #expect(total.recall(at: 10) >= 0.85)
    }

    @Test(
        "Words and meaning together find more",
        .enabled(if: folder != nil && embedderModel != nil))
    func fused() throws {
        let directory = try #require(Self.embedderModel)
        let total = try score(SentenceEmbedder(directory: directory))
        #expect(total.recall(at: 1) >= 0.55)
        #expect(total.recall(at: 5) >= 0.83)
        #expect(total.recall(at: 10) >= 0.895)
        #expect(total.allEvidenceRecall >= 0.78)
    }

    @Test("No talk of these people is taken for code, links or JSON", .enabled(if: folder != nil))
    func routing() throws {
        let source = try #require(Self.folder)
        for conversation in Self.conversations {
            let log = try ChatLog.read(
                source.appendingPathComponent("memories-\(conversation).jsonl"), repairing: false)
            for exchange in log.exchanges {
                let names = Router.decide(exchange).reasons.map(\.name)
                #expect(names == ["long"] || names == ["plain"], "\(exchange.id)")
            }
        }
    }
}

@Suite("Retrieval score")
struct RetrievalScoreTests {
    @Test("Recall counts any evidence, all-evidence all of it, the rank the first")
    func counts() {
        var score = RetrievalScore()
        score.count(results: ["a", "b", "c"], evidence: ["a"])
        score.count(results: ["x", "y", "b"], evidence: ["b", "z"])
        score.count(results: ["x"], evidence: ["q"])
        score.count(results: ["x"], evidence: [])
        var other = RetrievalScore()
        other.count(results: (1...20).map(String.init), evidence: ["1", "12"])
        score.add(other)
        #expect(score.questions == 4)
        #expect(score.recall(at: 1) == 0.5 && score.recall(at: 3) == 0.75)
        #expect(score.recall(at: 10) == 0.75 && score.allEvidenceRecall == 0.25)
        #expect(abs(score.meanReciprocalRank - (1 + 1.0 / 3 + 1) / 4) < 1e-12)
    }

    @Test("Questions are read; a broken line is named")
    func questions() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("q.jsonl")
        try Data(
            "{\"question\":\"Who?\",\"evidence\":[\"a\"],\"answer\":1}\n\n{\"question\":\"When?\"}\n"
                .utf8
        ).write(to: url)
        #expect(
            try RetrievalQuestion.read(url) == [
                RetrievalQuestion(question: "Who?", evidence: ["a"]),
                RetrievalQuestion(question: "When?", evidence: []),
            ])
        try Data("{\"question\":\"Who?\"}\n{}\n".utf8).write(to: url)
        #expect(throws: MemoryError.questionBroken(path: url.path, line: 2)) {
            try RetrievalQuestion.read(url)
        }
    }
}
