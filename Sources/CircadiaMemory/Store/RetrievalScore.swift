import Foundation

/// A question whose answer is known to be in certain exchanges.
public struct RetrievalQuestion: Sendable, Hashable, Codable {
    /// The question.
    public var question: String
    /// Ids of the exchanges that hold the answer.
    public var evidence: [String]

    /// A question with its evidence.
    public init(question: String, evidence: [String]) {
        self.question = question
        self.evidence = evidence
    }

    /// Reads JSON lines with `question` and, for scoring, `evidence`.
    ///
    /// - Parameter url: the file.
    /// - Returns: the questions, in order.
    /// - Throws: `unreadable`, `questionBroken`.
    public static func read(_ url: URL) throws(MemoryError) -> [RetrievalQuestion] {
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
                throw .questionBroken(path: url.path, line: index + 1)
            }
            questions.append(
                RetrievalQuestion(question: read.question, evidence: read.evidence ?? []))
        }
        return questions
    }
}

/// How well a store finds the answers of questions whose evidence is known.
public struct RetrievalScore: Sendable, Hashable, Codable {
    /// Questions that count: those with evidence.
    public private(set) var questions = 0
    /// Questions with any evidence among the first 1, 3, 5 and 10 results.
    public private(set) var hitsAt: [Int: Int] = [1: 0, 3: 0, 5: 0, 10: 0]
    /// Questions with all their evidence among the first 10 results.
    public private(set) var allEvidenceAt10 = 0
    /// Σ 1 ∕ rank of the first evidence; 0 for a question without any in the results.
    public private(set) var reciprocalRanks = 0.0

    /// A score of no questions.
    public init() {}

    /// The share of questions with any evidence among the first `depth` results; `depth` is one of
    /// 1, 3, 5 and 10.
    public func recall(at depth: Int) -> Double { share(hitsAt[depth] ?? 0) }

    /// The share of questions with all their evidence among the first 10 results.
    public var allEvidenceRecall: Double { share(allEvidenceAt10) }

    /// The mean reciprocal rank, over the first 100 results.
    public var meanReciprocalRank: Double {
        questions == 0 ? 0 : reciprocalRanks / Double(questions)
    }

    /// Counts one question with the ids that a search gave for it, best first.
    public mutating func count(results: [String], evidence: [String]) {
        guard !evidence.isEmpty else { return }
        questions += 1
        let ranks = evidence.map { id in results.firstIndex(of: id).map { $0 + 1 } ?? .max }
        let first = ranks.min() ?? .max
        for depth in hitsAt.keys where first <= depth { hitsAt[depth, default: 0] += 1 }
        if ranks.allSatisfy({ $0 <= 10 }) { allEvidenceAt10 += 1 }
        if first != .max { reciprocalRanks += 1 / Double(first) }
    }

    /// Adds the counts of another score.
    public mutating func add(_ other: RetrievalScore) {
        questions += other.questions
        for (depth, hits) in other.hitsAt { hitsAt[depth, default: 0] += hits }
        allEvidenceAt10 += other.allEvidenceAt10
        reciprocalRanks += other.reciprocalRanks
    }

    private func share(_ hits: Int) -> Double {
        questions == 0 ? 0 : Double(hits) / Double(questions)
    }
}

extension RetrievalStore {
    /// Asks every question and scores what is found.
    ///
    /// - Parameters:
    ///   - questions: with evidence; those without are passed over.
    ///   - now: when they are asked; the newest exchange's time where nil.
    /// - Returns: the counts.
    /// - Throws: as `search`.
    public func score(
        _ questions: [RetrievalQuestion], now: Date? = nil
    ) throws(MemoryError) -> RetrievalScore {
        var score = RetrievalScore()
        for question in questions where !question.evidence.isEmpty {
            let results = try search(question.question, limit: 100, now: now)
            score.count(results: results.map(\.id), evidence: question.evidence)
        }
        return score
    }
}
