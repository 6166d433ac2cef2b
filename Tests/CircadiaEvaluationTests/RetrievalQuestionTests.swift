import CircadiaTestSupport
import Foundation
import Testing

import CircadiaEvaluation

@Suite("Retrieval questions")
struct RetrievalQuestionTests {
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
        #expect(throws: EvaluationError.questionBroken(path: url.path, line: 2)) {
            try RetrievalQuestion.read(url)
        }
    }
}
