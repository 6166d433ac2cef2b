import CircadiaEvaluation
import Testing

@Suite struct RetrievalMetricsTests {
    let ranked = ["a", "b", "c", "d", "e"]

    @Test func recallIsAShareOfTheEvidence() {
        #expect(RetrievalMetrics.recall(at: 2, ranked: ranked, relevant: ["b", "d"]) == 0.5)
        #expect(RetrievalMetrics.recall(at: 5, ranked: ranked, relevant: ["b", "d"]) == 1)
        #expect(RetrievalMetrics.recall(at: 5, ranked: ranked, relevant: ["x"]) == 0)
        #expect(RetrievalMetrics.recall(at: 3, ranked: ["b", "b"], relevant: ["b", "d"]) == 0.5)
    }

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

    @Test func reportTakesMeans() {
        let report = RetrievalReport(
            [(ranked, ["a"]), (ranked, ["b", "x"]), (ranked, ["y"])], k: 2)
        #expect(report.queries == 3)
        #expect(abs(report.recall - 0.5) < 1e-12)
        #expect(abs(report.allEvidence - 1.0 / 3) < 1e-12)
        #expect(abs(report.meanReciprocalRank - 0.5) < 1e-12)
        #expect(RetrievalReport([], k: 5).recall == 0)
    }
}
