/// The evidence that an exchange must have before a chat is reminded of it.
///
/// A logistic model that tells the evidence of questions about a conversation from what the same search
/// finds for questions about other conversations and for requests that are about none, fitted and
/// judged as `Benchmarks/retrieval/README.md` says.
package enum RelevanceFloor {
    /// What one of score, cosine and coverage adds.
    static let score = 8.75
    static let dense = 8.36
    static let coverage = 4.26
    /// What they must reach together. Nine of ten exchanges of the evidence do.
    static let least = 8.82
    /// Where there are no vectors: the share of the question's information that is enough.
    static let coverageAlone = 0.85

    static func accepts(score: Double, _ evidence: Memory.Evidence) -> Bool {
        let hasVectors = evidence.dense != 0 || evidence.neighbourhood != 0
        guard hasVectors else { return evidence.coverage >= coverageAlone }
        return Self.score * score + dense * evidence.dense + coverage * evidence.coverage >= least
    }
}
