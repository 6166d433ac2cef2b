import CircadiaFiles
import Foundation

/// A question whose answer is known to be in certain exchanges.
package struct RetrievalQuestion: Sendable, Hashable, Codable {
    /// The question.
    package var question: String
    /// Ids of the exchanges that hold the answer.
    package var evidence: [String]

    /// A question with its evidence.
    package init(question: String, evidence: [String]) {
        self.question = question
        self.evidence = evidence
    }

    /// Reads JSON lines with `question` and, for scoring, `evidence`.
    ///
    /// - Parameter url: the file.
    /// - Returns: the questions, in order.
    /// - Throws: `FileError` where the file cannot be read, `EvaluationError.questionBroken`.
    package static func read(_ url: URL) throws -> [RetrievalQuestion] {
        struct Line: Decodable {
            var question: String
            var evidence: [String]?
        }
        let file = try OpenFile(url, flags: O_RDONLY, failure: .read)
        let bytes = try file.bytes(at: 0, count: try file.size())
        var questions: [RetrievalQuestion] = []
        let lines = bytes.split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated()
        where line.contains(where: { $0 > UInt8(ascii: " ") }) {
            guard let read = try? JSONDecoder().decode(Line.self, from: Data(line)) else {
                throw EvaluationError.questionBroken(path: url.path, line: index + 1)
            }
            questions.append(
                RetrievalQuestion(question: read.question, evidence: read.evidence ?? []))
        }
        return questions
    }
}
