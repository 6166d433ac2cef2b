import Foundation

/// The statistics that verdicts rest on.
package enum Statistics {
    /// The Wilson score interval of a share, which stays within 0 ... 1 and is honest for small
    /// counts (Wilson, 1927).
    ///
    /// - Parameters:
    ///   - passed: `0 ... total`.
    ///   - total: with 0 nothing is known and the answer is `0 ... 1`.
    ///   - z: the normal quantile; 1.96 gives 95%.
    /// - Returns: the interval, within 0 ... 1.
    package static func wilsonInterval(
        passed: Int, total: Int, z: Double = 1.959963984540054
    ) -> ClosedRange<Double> {
        precondition(passed >= 0 && passed <= total, "\(passed) of \(total) is no share")
        guard total > 0 else { return 0...1 }
        let n = Double(total)
        let p = Double(passed) / n
        let denominator = 1 + z * z / n
        let centre = (p + z * z / (2 * n)) / denominator
        let half = z / denominator * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        // At the ends the formula is exact, its rounding is not.
        let low = passed == 0 ? 0 : max(0, centre - half)
        let high = passed == total ? 1 : min(1, centre + half)
        return low...high
    }

    /// The two-sided p value of the sign test: how likely it is that `gains` and `losses` differ at
    /// least as much where either is as likely as the other.
    ///
    /// It is the exact binomial test, and with paired passes and failures McNemar's exact test.
    package static func signTest(gains: Int, losses: Int) -> Double {
        precondition(gains >= 0 && losses >= 0, "counts are not negative")
        let n = gains + losses
        guard n > 0 else { return 1 }
        // Log factorials keep thousands of pairs within range. Linux and macOS both have the `lgamma`
        // that gives a sign as well.
        func logFactorial(_ number: Int) -> Double { lgamma(Double(number + 1)).0 }
        let tail = (0...min(gains, losses)).reduce(0.0) { sum, k in
            let logWays = logFactorial(n) - logFactorial(k) - logFactorial(n - k)
            return sum + exp(logWays - Double(n) * log(2))
        }
        return min(1, 2 * tail)
    }

    /// McNemar's exact test of the same tasks done twice: two-sided p that the change is chance.
    ///
    /// - Parameters:
    ///   - before: whether each task passed.
    ///   - after: the same tasks in the same order.
    /// - Returns: p, in 0 ... 1; 1 where nothing changed.
    package static func mcNemarTest(before: [Bool], after: [Bool]) -> Double {
        precondition(before.count == after.count, "the tests are not paired")
        let pairs = zip(before, after)
        return signTest(
            gains: pairs.count { !$0 && $1 }, losses: pairs.count { $0 && !$1 })
    }

    /// The percentile bootstrap interval of a mean (Efron, 1979).
    ///
    /// - Parameters:
    ///   - values: not empty, finite.
    ///   - confidence: in 0 ..< 1.
    ///   - resamples: how often to draw; a thousand gives two good digits.
    ///   - seed: the same seed gives the same interval.
    /// - Returns: the interval between two quantiles of the resampled means.
    package static func bootstrapMeanInterval(
        of values: [Double], confidence: Double = 0.95, resamples: Int = 2000, seed: UInt64 = 0
    ) -> ClosedRange<Double> {
        precondition(!values.isEmpty && resamples > 0, "nothing to draw from")
        precondition(confidence >= 0 && confidence < 1, "a confidence is in 0 ..< 1")
        var random = SplitMix64(seed: seed)
        let means = (0..<resamples).map { _ in
            values.indices.reduce(0.0) { sum, _ in
                sum + values[Int.random(in: values.indices, using: &random)]
            } / Double(values.count)
        }.sorted()
        return quantile(means, (1 - confidence) / 2)...quantile(means, (1 + confidence) / 2)
    }

    /// A quantile of sorted values, between two of them where it falls between.
    static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        let place = share * Double(sorted.count - 1)
        let low = Int(place)
        let high = min(low + 1, sorted.count - 1)
        return sorted[low] + (place - Double(low)) * (sorted[high] - sorted[low])
    }
}

/// A small generator whose draws follow from its seed (Steele, Lea and Flood, 2014).
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
