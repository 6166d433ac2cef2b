import CircadiaConversation
import CircadiaModel

/// Measures the loss of a model on exchanges: of every assistant turn, from its first token up to
/// and including the end-of-turn token, and of nothing else.
package struct ChatLossEvaluator {
    private let measure: ([ChatMessage]) -> ScoredLoss

    /// An evaluator with a measure of its own: nats and scored tokens of one exchange's messages.
    package init(measure: @escaping ([ChatMessage]) -> ScoredLoss) {
        self.measure = measure
    }

    /// Measures each exchange.
    ///
    /// - Parameters:
    ///   - exchanges: measured one by one, in order.
    ///   - progress: called after each with the number done and the number of all.
    /// - Returns: the loss of each and of all together.
    /// - Throws: `EvaluationError.nothingToScore`.
    package func evaluate(
        _ exchanges: [Exchange], progress: (Int, Int) -> Void = { _, _ in }
    ) throws(EvaluationError) -> LossReport {
        var samples: [LossReport.Sample] = []
        for exchange in exchanges {
            let loss = measure(exchange.messages)
            samples.append(.init(id: exchange.id, loss: loss.mean, tokens: loss.tokens))
            progress(samples.count, exchanges.count)
        }
        guard let report = LossReport(samples: samples) else {
            throw .nothingToScore(exchanges: exchanges.count)
        }
        return report
    }
}
