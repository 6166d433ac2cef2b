import Foundation

/// One token's prediction by two models, or by one model in two ways.
package struct PredictionPair: Sendable {
    /// KL(first ‖ second), in nats.
    package let divergence: Double
    /// `-ln p` of the token that came.
    package let firstLoss, secondLoss: Double
    /// Whether both take the same token as the likeliest.
    package let hasSameTop: Bool

    /// Compares two rows of logits, `[vocabulary]`, for a place that `target` came at.
    package init(
        _ first: UnsafeBufferPointer<Float>, _ second: UnsafeBufferPointer<Float>, target: Int32
    ) {
        precondition(first.count == second.count, "rows of different vocabularies")
        let (firstTop, firstSum) = Self.topAndLogSum(first)
        let (secondTop, secondSum) = Self.topAndLogSum(second)
        // Σ p·(ln p − ln q): the difference of the log-sums does not depend on the token.
        var divergence = secondSum - firstSum
        for (a, b) in zip(first, second) {
            divergence += Double(exp(a - Float(firstSum))) * Double(a - b)
        }
        self.divergence = divergence
        firstLoss = firstSum - Double(first[Int(target)])
        secondLoss = secondSum - Double(second[Int(target)])
        hasSameTop = firstTop == secondTop
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
