import Foundation

/// What 8-bit activations change in a model's predictions, each token's compared with those of f32.
package struct PrecisionComparison: Codable, Sendable, Equatable {
    /// Predictions that were compared.
    package let tokens: Int
    /// Mean KL divergence of the 8-bit distribution from the exact one, in nats a token.
    package let meanKL: Double
    /// What 99.9% of the tokens' divergences do not exceed.
    package let quantile999KL: Double
    /// The largest divergence.
    package let maximumKL: Double
    /// Perplexity of the text by the exact path.
    package let exactPerplexity: Double
    /// Perplexity of the text by the 8-bit path.
    package let int8Perplexity: Double
    /// What the 8-bit path adds to the perplexity, as a share of it.
    package let perplexityChange: Double
    /// The share of tokens for which both paths take the same one as the likeliest.
    package let sameTopShare: Double

    /// Puts predictions together, each the exact path's and the 8-bit path's; nil where there are none.
    package init?(_ predictions: [PredictionPair]) {
        guard !predictions.isEmpty else { return nil }
        tokens = predictions.count
        func mean(_ value: (PredictionPair) -> Double) -> Double {
            predictions.reduce(0) { $0 + value($1) } / Double(predictions.count)
        }
        let sorted = predictions.map(\.divergence).sorted()
        meanKL = mean(\.divergence)
        quantile999KL = sorted[min(sorted.count - 1, Int(Double(sorted.count) * 0.999))]
        maximumKL = sorted[sorted.count - 1]
        exactPerplexity = exp(mean(\.firstLoss))
        int8Perplexity = exp(mean(\.secondLoss))
        perplexityChange = int8Perplexity / exactPerplexity - 1
        sameTopShare = mean { $0.hasSameTop ? 1 : 0 }
    }
}
