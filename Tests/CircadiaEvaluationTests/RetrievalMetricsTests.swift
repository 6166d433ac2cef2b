import Testing

import CircadiaEvaluation

@Suite struct RetrievalMetricsTests {
    let ranked = ["a", "b", "c", "d", "e"]

    @Test func allEvidenceIsAllOrNothing() {
        #expect(RetrievalMetrics.allEvidence(at: 3, ranked: ranked, relevant: ["b", "d"]) == 0)
        #expect(RetrievalMetrics.allEvidence(at: 4, ranked: ranked, relevant: ["b", "d"]) == 1)
    }

    @Test func reciprocalRankLooksAtTheFirst() {
        #expect(RetrievalMetrics.reciprocalRank(ranked: ranked, relevant: ["d", "b"]) == 0.5)
        #expect(RetrievalMetrics.reciprocalRank(ranked: ranked, relevant: ["x"]) == 0)
    }

    @Test func nDCGIsOneForTheIdealOrder() {
        #expect(RetrievalMetrics.nDCG(at: 3, ranked: ranked, relevant: ["a", "b"]) == 1)
        // 1/log2(3) over 1/log2(2).
        let second = RetrievalMetrics.nDCG(at: 3, ranked: ranked, relevant: ["b"])
        #expect(abs(second - 0.6309297535714574) < 1e-12)
        // A repeated id is not found twice.
        #expect(RetrievalMetrics.nDCG(at: 3, ranked: ["a", "a", "a"], relevant: ["a", "b"]) < 1)
    }

    @Test func evaluationTakesMeans() {
        let evaluation = RetrievalEvaluation([
            (ranked, ["a"]), (ranked, ["b", "x"]), (ranked, ["y"]),
            ((1...20).map(String.init), ["1", "12"]),
        ])
        #expect(evaluation.questions == 4)
        let means = evaluation.measures.mapValues(\.mean)
        #expect(means["recall@1"] == 0.5 && means["recall@3"] == 0.75)
        #expect(means["recall@10"] == 0.75 && means["all_evidence@10"] == 0.25)
        #expect(abs((means["mrr"] ?? 0) - (1 + 0.5 + 1) / 4) < 1e-12)
        #expect(RetrievalEvaluation([]).measures.isEmpty)
    }
}
