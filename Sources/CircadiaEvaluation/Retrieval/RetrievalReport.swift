/// The means of the retrieval metrics over queries.
public struct RetrievalReport: Codable, Sendable, Equatable {
    /// A query's ranked list, best first, and its evidence, which is not empty.
    public typealias Answer = (ranked: [String], relevant: Set<String>)

    /// The length of list that was judged.
    public let k: Int
    /// Queries judged.
    public let queries: Int
    /// Mean share of the evidence among the first `k`.
    public let recall: Double
    /// Share of queries with all their evidence among the first `k`.
    public let allEvidence: Double
    /// Mean reciprocal rank of the first evidence, over the whole lists.
    public let meanReciprocalRank: Double
    /// Mean normalised discounted cumulative gain among the first `k`.
    public let ndcg: Double

    /// Judges answers; without any, all means are 0.
    public init(_ answers: [Answer], k: Int) {
        func mean(_ metric: (Answer) -> Double) -> Double {
            answers.isEmpty ? 0 : answers.reduce(0) { $0 + metric($1) } / Double(answers.count)
        }
        self.k = k
        queries = answers.count
        recall = mean { RetrievalMetrics.recall(at: k, ranked: $0.ranked, relevant: $0.relevant) }
        allEvidence = mean {
            RetrievalMetrics.allEvidence(at: k, ranked: $0.ranked, relevant: $0.relevant)
        }
        meanReciprocalRank = mean {
            RetrievalMetrics.reciprocalRank(ranked: $0.ranked, relevant: $0.relevant)
        }
        ndcg = mean { RetrievalMetrics.nDCG(at: k, ranked: $0.ranked, relevant: $0.relevant) }
    }
}
