import CircadiaTestSupport
import Foundation
import Testing

import CircadiaApp
import CircadiaEvaluation
import CircadiaHub
import CircadiaLog
import CircadiaModel
import CircadiaRetrieval

/// How often a chat is reminded of something: for questions about its own past, for questions about
/// somebody else's, which it knows nothing of, and for requests that are about nobody.
@Suite("Relevance floor")
struct RelevanceTests {
    /// Those that the floor was not fitted to.
    private static let conversations = [42, 43]
    private static let embedderModel = try? ModelStore.resolve("all-minilm-l6-v2")
    private static let shared = Surroundings.runsEverything ? Surroundings.conversations : nil

    /// Requests of the capability harness: sums, facts, instructions.
    private static func requests() throws -> [String] {
        struct Row: Decodable { let prompt: String? }
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../data/eval/harness.jsonl").standardized
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap {
            try JSONDecoder().decode(Row.self, from: Data($0.utf8)).prompt
        }
    }

    @Test(
        "Evidence is kept, what is about something else is not shown",
        .enabled(
            if: shared != nil && embedderModel != nil,
            "takes minutes; make test-all runs it where LoCoMo is at hand"))
    func rates() throws {
        let source = try #require(Self.shared)
        let embedder = try SentenceEmbedder(directory: #require(Self.embedderModel))
        let questions = try Self.conversations.map {
            try RetrievalQuestion.read(source.appendingPathComponent("questions-\($0).jsonl"))
                .filter { !$0.evidence.isEmpty }
        }
        let requests = try Self.requests()
        var (found, kept) = (0, 0)
        var (foreign, foreignShown, requested, requestsShown) = (0, 0, 0, 0)
        for (index, conversation) in Self.conversations.enumerated() {
            let folder = try TemporaryFolder()
            let store = try RetrievalStore(directory: folder.file("rag"), embedder: embedder)
            let log = try ChatLog.read(
                source.appendingPathComponent("memories-\(conversation).jsonl"), repairing: false)
            try store.ingest(log.exchanges, policy: .chat)
            for question in questions[index] {
                let isFound = try store.search(question.question, limit: 3).contains {
                    question.evidence.contains($0.id)
                }
                guard isFound else { continue }
                found += 1
                let shown = try store.relevant(to: question.question, limit: 3)
                if shown.contains(where: { question.evidence.contains($0.id) }) { kept += 1 }
            }
            for question in questions[1 - index] {
                foreign += 1
                if try !store.relevant(to: question.question).isEmpty { foreignShown += 1 }
            }
            for request in requests {
                requested += 1
                if try !store.relevant(to: request).isEmpty { requestsShown += 1 }
            }
        }
        print(
            "relevance: of \(found) questions with evidence among the first 3, \(kept) keep it; something "
                + "is shown for \(foreignShown) of \(foreign) foreign questions and \(requestsShown) of "
                + "\(requested) requests")
        #expect(Double(kept) >= 0.85 * Double(found))
        #expect(Double(foreignShown) <= 0.12 * Double(foreign))
        #expect(Double(requestsShown) <= 0.1 * Double(requested))
    }
}
