import Foundation
import Testing

import CircadiaEvaluation

@Suite struct PrecisionComparisonTests {
    private func prediction(
        exact: [Float], int8: [Float], target: Int32
    ) -> PredictionPair {
        exact.withUnsafeBufferPointer { exact in
            int8.withUnsafeBufferPointer { int8 in
                PredictionPair(exact, int8, target: target)
            }
        }
    }

    @Test func aShiftOfAllLogitsChangesNothing() {
        let same = prediction(exact: [1, 2, 4], int8: [-9, -8, -6], target: 1)
        #expect(abs(same.divergence) < 1e-6)
        #expect(abs(same.firstLoss - same.secondLoss) < 1e-6)
        #expect(same.hasSameTop)
    }

    @Test func figuresAreThoseOfTheDefinition() throws {
        // 1/4 and 3/4 against 3/4 and 1/4, then a prediction without a difference.
        let log3 = Float(log(3.0))
        let predictions = [
            prediction(exact: [0, log3], int8: [log3, 0], target: 0),
            prediction(exact: [0, log3], int8: [0, log3], target: 1),
        ]
        let divergence = 0.5 * log(3)
        #expect(abs(predictions[0].divergence - divergence) < 1e-6)
        let comparison = try #require(PrecisionComparison(predictions))
        #expect(comparison.tokens == 2)
        #expect(abs(comparison.meanKL - divergence / 2) < 1e-6)
        #expect(abs(comparison.maximumKL - divergence) < 1e-6)
        #expect(comparison.quantile999KL == comparison.maximumKL)
        #expect(comparison.sameTopShare == 0.5)
        #expect(abs(comparison.exactPerplexity - sqrt(16.0 / 3)) < 1e-5)
        #expect(abs(comparison.int8Perplexity - sqrt(16.0 / 9)) < 1e-5)
        #expect(abs(comparison.perplexityChange - (sqrt(1.0 / 3) - 1)) < 1e-6)
        #expect(PrecisionComparison([]) == nil)
    }
}
