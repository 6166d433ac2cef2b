import CircadiaTestSupport
import Foundation
import Testing

import CircadiaApp
import CircadiaAnalysis
import CircadiaEvaluation
import CircadiaHub
import CircadiaLog
import CircadiaModel
import CircadiaRetrieval

/// Five long conversations with questions whose evidence is known, where they are at hand. They
/// are not part of the project (their licence is non-commercial).
@Suite("Retrieval on LoCoMo")
struct LoCoMoTests {
    private static let conversations = [26, 30, 41, 42, 43]

    private static let folder = Surroundings.conversations

    private static let embedderModel = try? ModelStore.resolve("all-minilm-l6-v2")

    /// Every question asked of a store of its own conversation.
    private func evaluation(_ embedder: (any TextEmbedding)?) throws -> RetrievalEvaluation {
        let source = try #require(Self.folder)
        var answers: [RetrievalEvaluation.Answer] = []
        for conversation in Self.conversations {
            let folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("circadia-locomo-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            let store = try RetrievalStore(directory: folder, embedder: embedder)
            let log = try ChatLog.read(
                source.appendingPathComponent("memories-\(conversation).jsonl"), repairing: false)
            #expect(log.issues.isEmpty)
            try store.ingest(log.exchanges.cleaned, policy: .chat)
            answers += try RetrievalEvaluation.answers(
                to: RetrievalQuestion.read(
                    source.appendingPathComponent("questions-\(conversation).jsonl"))
            ) { question, limit in
                try store.search(question, limit: limit, now: nil).map(\.id)
            }.answers
            store.close()
        }
        #expect(answers.count == 760)
        return RetrievalEvaluation(answers)
    }

    private func expect(_ evaluation: RetrievalEvaluation, atLeast floors: [String: Double]) {
        for (name, floor) in floors {
            let mean = evaluation.measures[name]?.mean ?? 0
            #expect(mean >= floor, "\(name) \(mean)")
        }
    }

    @Test("Words, neighbours and dates alone find most answers", .enabled(if: folder != nil))
    func lexical() throws {
        expect(
            try evaluation(nil), atLeast: ["recall@1": 0.48, "recall@5": 0.79, "recall@10": 0.85])
    }

    @Test(
        "Words and meaning together find more",
        .enabled(
            if: folder != nil && embedderModel != nil,
            "there are no conversations of LoCoMo, or all-minilm-l6-v2 is not installed"))
    func fused() throws {
        let directory = try #require(Self.embedderModel)
        expect(
            try evaluation(SentenceEmbedder(directory: directory, precision: .bf16)),
            atLeast: [
                "recall@1": 0.55, "recall@5": 0.83, "recall@10": 0.895, "all_evidence@10": 0.78,
            ])
    }

    @Test("No talk of these people is taken for code, links or JSON", .enabled(if: folder != nil))
    func routing() throws {
        let source = try #require(Self.folder)
        for conversation in Self.conversations {
            let log = try ChatLog.read(
                source.appendingPathComponent("memories-\(conversation).jsonl"), repairing: false)
            for exchange in log.exchanges.cleaned {
                let names = exchange.routing.reasons.map(\.name)
                #expect(names == ["long"] || names == ["plain"], "\(exchange.id)")
            }
        }
    }
}
