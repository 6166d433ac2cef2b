import Testing

import CircadiaEvaluation

@Suite struct StatisticsTests {
    /// The ends are the roots q of (p − q)² = z² q (1 − q) / n, found by bisection.
    @Test(arguments: [
        (0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0),
        (50, 105, 0.3832, 0.5709), (0, 0, 0.0, 1.0),
    ])
    func wilson(passed: Int, total: Int, low: Double, high: Double) {
        let interval = Statistics.wilsonInterval(passed: passed, total: total)
        #expect(abs(interval.lowerBound - low) < 1e-4)
        #expect(abs(interval.upperBound - high) < 1e-4)
    }

    /// Counted by hand: twice the sum of binomial coefficients over 2ⁿ.
    @Test(arguments: [
        (0, 0, 1.0), (0, 1, 1.0), (0, 5, 0.0625), (0, 6, 0.03125), (3, 3, 1.0), (1, 9, 0.021484375),
        (10, 10, 1.0), (2, 8, 0.109375),
    ])
    func signTestIsTheExactBinomial(gains: Int, losses: Int, p: Double) {
        #expect(abs(Statistics.signTest(gains: gains, losses: losses) - p) < 1e-9)
        #expect(abs(Statistics.signTest(gains: losses, losses: gains) - p) < 1e-9)
    }

    @Test func signTestStandsThousandsOfPairs() {
        let p = Statistics.signTest(gains: 2000, losses: 2200)
        #expect(p > 0.002 && p < 0.0025)
    }

    @Test func mcNemarCountsOnlyChanges() {
        let before = [true, true, true, true, true, true, false, true]
        let after = [false, false, false, false, false, false, false, true]
        #expect(abs(Statistics.mcNemarTest(before: before, after: after) - 0.03125) < 1e-12)
        #expect(Statistics.mcNemarTest(before: before, after: before) == 1)
    }

    @Test func bootstrapFollowsFromItsSeedAndHoldsTheMean() {
        let values = (0..<50).map { Double($0 % 7) + Double($0) * 1e-3 }
        let mean = values.reduce(0, +) / 50
        let interval = Statistics.bootstrapMeanInterval(of: values, seed: 3)
        #expect(interval == Statistics.bootstrapMeanInterval(of: values, seed: 3))
        #expect(interval != Statistics.bootstrapMeanInterval(of: values, seed: 4))
        #expect(interval.contains(mean))
        // The standard error is 0.28, so 95% are about 1.1 wide.
        let width = interval.upperBound - interval.lowerBound
        #expect(width > 0.9 && width < 1.3)
        #expect(Statistics.bootstrapMeanInterval(of: [2, 2, 2]) == 2...2)
    }
}
