import Foundation

/// How well and how fast a store finds the evidence of questions.
package struct RetrievalEvaluation: Sendable, Equatable {
    /// A query's ranked list, best first, and its evidence, which is not empty.
    package typealias Answer = (ranked: [String], relevant: Set<String>)
    /// Finds exchanges for a question: the ids of at most `limit`, best first.
    package typealias Search = (_ question: String, _ limit: Int) throws -> [String]

    /// A mean over the questions with its bootstrap interval of 95%.
    package struct Measure: Sendable, Equatable {
        /// The mean.
        package let mean: Double
        /// The interval.
        package let interval: ClosedRange<Double>
    }

    /// Questions that count: those with evidence.
    package let questions: Int
    /// By name: `recall@1`, `recall@3`, `recall@5` and `recall@10` (any evidence among the first),
    /// `all_evidence@10`, `mrr` (over the first 100), `ndcg@10`.
    package let measures: [String: Measure]
    /// How long the median search took, the question's embedding included.
    package let medianSearchSeconds: Double

    /// The lengths of list for which recall is given.
    package static let depths = [1, 3, 5, 10]
    /// Results that are looked at for the reciprocal rank.
    package static let longestList = 100

    /// Takes means over answers, each a ranked list and its evidence, which is not empty.
    package init(_ answers: [Answer], searchSeconds: [Double] = []) {
        var values: [String: [Double]] = [:]
        for (ranked, relevant) in answers {
            for depth in Self.depths {
                let isHit = !relevant.isDisjoint(with: ranked.prefix(depth))
                values["recall@\(depth)", default: []].append(isHit ? 1 : 0)
            }
            values["all_evidence@10", default: []].append(
                RetrievalMetrics.allEvidence(at: 10, ranked: ranked, relevant: relevant))
            values["mrr", default: []].append(
                RetrievalMetrics.reciprocalRank(ranked: ranked, relevant: relevant))
            values["ndcg@10", default: []].append(
                RetrievalMetrics.nDCG(at: 10, ranked: ranked, relevant: relevant))
        }
        questions = answers.count
        measures = values.mapValues { values in
            Measure(
                mean: values.reduce(0, +) / Double(values.count),
                interval: Statistics.bootstrapMeanInterval(of: values))
        }
        medianSearchSeconds =
            searchSeconds.isEmpty ? 0 : Statistics.quantile(searchSeconds.sorted(), 0.5)
    }

    /// Asks every question that has evidence, and measures the answers.
    ///
    /// - Parameters:
    ///   - questions: those without evidence are passed over.
    ///   - search: searches a store that holds the exchanges that the evidence names.
    /// - Returns: the measures.
    /// - Throws: as the search.
    package static func measure(
        _ questions: [RetrievalQuestion], search: Search
    ) throws -> RetrievalEvaluation {
        let (answers, seconds) = try answers(to: questions, search: search)
        return RetrievalEvaluation(answers, searchSeconds: seconds)
    }

    /// The answers that `measure` judges, of several stores for example, and the time of each.
    package static func answers(
        to questions: [RetrievalQuestion], search: Search
    ) throws -> (answers: [Answer], seconds: [Double]) {
        var answers: [Answer] = []
        var seconds: [Double] = []
        let clock = ContinuousClock()
        for question in questions where !question.evidence.isEmpty {
            let start = clock.now
            let found = try search(question.question, longestList)
            let elapsed = clock.now - start
            seconds.append(elapsed / .seconds(1))
            answers.append((found, Set(question.evidence)))
        }
        return (answers, seconds)
    }
}
