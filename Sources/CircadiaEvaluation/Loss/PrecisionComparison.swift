import Foundation

/// What 8-bit activations change in a model's predictions, each token's compared with those of f32.
public struct PrecisionComparison: Codable, Sendable, Equatable {
    /// Predictions that were compared.
    public let tokens: Int
    /// Mean KL divergence of the 8-bit distribution from the exact one, in nats a token.
    public let meanKL: Double
    /// What 99.9% of the tokens' divergences do not exceed.
    public let quantile999KL: Double
    /// The largest divergence.
    public let maximumKL: Double
    /// Perplexity of the text by the exact path.
    public let exactPerplexity: Double
    /// Perplexity of the text by the 8-bit path.
    public let int8Perplexity: Double
    /// What the 8-bit path adds to the perplexity, as a share of it.
    public let perplexityChange: Double
    /// The share of tokens for which both paths take the same one as the likeliest.
    public let sameTopShare: Double

    /// One token's prediction by both paths.
    public struct Prediction: Sendable {
        /// KL(exact ‖ int8), in nats.
        public let divergence: Double
        /// `-ln p` of the token that came.
        public let exactLoss, int8Loss: Double
        /// Whether both take the same token as the likeliest.
        public let hasSameTop: Bool

        /// Compares two rows of logits, `[vocabulary]`, for a place that `target` came at.
        public init(
            exact: UnsafeBufferPointer<Float>, int8: UnsafeBufferPointer<Float>, target: Int32
        ) {
            precondition(exact.count == int8.count, "rows of different vocabularies")
            let (exactTop, exactSum) = Self.topAndLogSum(exact)
            let (int8Top, int8Sum) = Self.topAndLogSum(int8)
            // Σ p·(ln p − ln q): the difference of the log-sums does not depend on the token.
            var divergence = int8Sum - exactSum
            for (a, b) in zip(exact, int8) {
                divergence += Double(exp(a - Float(exactSum))) * Double(a - b)
            }
            self.divergence = divergence
            exactLoss = exactSum - Double(exact[Int(target)])
            int8Loss = int8Sum - Double(int8[Int(target)])
            hasSameTop = exactTop == int8Top
        }

        /// The place of the largest logit, and `ln Σ exp`.
        private static func topAndLogSum(_ logits: UnsafeBufferPointer<Float>) -> (Int, Double) {
            var top = 0
            var largest = -Float.infinity
            for (index, value) in logits.enumerated() where value > largest {
                (top, largest) = (index, value)
            }
            let sum = logits.reduce(0.0) { $0 + Double(exp($1 - largest)) }
            return (top, Double(largest) + log(sum))
        }
    }

    /// Puts predictions together; nil where there are none.
    public init?(_ predictions: [Prediction]) {
        guard !predictions.isEmpty else { return nil }
        tokens = predictions.count
        func mean(_ value: (Prediction) -> Double) -> Double {
            predictions.reduce(0) { $0 + value($1) } / Double(predictions.count)
        }
        let sorted = predictions.map(\.divergence).sorted()
        meanKL = mean(\.divergence)
        quantile999KL = sorted[min(sorted.count - 1, Int(Double(sorted.count) * 0.999))]
        maximumKL = sorted[sorted.count - 1]
        exactPerplexity = exp(mean(\.exactLoss))
        int8Perplexity = exp(mean(\.int8Loss))
        perplexityChange = int8Perplexity / exactPerplexity - 1
        sameTopShare = mean { $0.hasSameTop ? 1 : 0 }
    }
}
