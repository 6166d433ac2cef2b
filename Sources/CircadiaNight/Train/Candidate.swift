import CircadiaModel
import CircadiaTraining
import Foundation

/// What training made of the rows.
struct Candidate {
    /// The adapter before training, whole or fresh.
    let before: LoRAAdapter
    /// The adapter after it.
    let after: LoRAAdapter
    /// Every step and the losses.
    let training: TrainingReport
    /// Held-out losses on the way.
    let evaluations: [LossPoint]
    /// Seconds that training took; of a resumed night, those since it was resumed.
    let seconds: Double

    /// What training came to, as an outcome keeps it.
    var summary: Summary {
        let tenth = max(1, training.steps.count / 10)
        return Summary(
            steps: training.steps.count, finalStep: training.finalStep,
            tokens: training.scoredTokensTrained,
            lossFirst: Self.meanLoss(training.steps.prefix(tenth)),
            lossLast: Self.meanLoss(training.steps.suffix(tenth)), end: training.end,
            restorations: training.restorations, seconds: seconds)
    }

    /// Training in numbers.
    struct Summary: Sendable, Codable, Equatable {
        /// Optimiser steps that were taken.
        var steps: Int
        /// Steps behind the adapter's numbers: fewer where an earlier evaluation was best.
        var finalStep: Int
        /// Scored tokens that were trained on, every pass counted.
        var tokens: Int
        /// Mean loss over the first and the last tenth of the steps, nats a token.
        var lossFirst, lossLast: Double
        /// Why training ended.
        var end: TrainingEnd
        /// Times that numbers were not finite and the last good ones were restored.
        var restorations: Int
        /// Seconds that it took.
        var seconds: Double
    }

    private static func meanLoss(_ steps: some Collection<StepReport>) -> Double {
        let tokens = steps.reduce(0) { $0 + $1.scoredTokens }
        return steps.reduce(0) { $0 + $1.loss * Double($1.scoredTokens) } / Double(max(1, tokens))
    }

    /// The loss curves of a night whose held-out loss was this before and after.
    func curves(heldOutBefore: Double?, heldOutAfter: Double?) -> LossCurves {
        let last = training.steps.count
        let start = heldOutBefore.map { [LossPoint(step: 0, loss: $0)] } ?? []
        let end = heldOutAfter.map { [LossPoint(step: last, loss: $0)] } ?? []
        return LossCurves(
            training: LossPoint.thinned(
                training.steps.map { LossPoint(step: $0.step, loss: $0.loss) }),
            heldOut: start + evaluations.filter { $0.step > 0 && $0.step < last } + end)
    }
}

/// The loss after a step.
package struct LossPoint: Sendable, Codable, Equatable {
    /// The step; 0 is before the first.
    package var step: Int
    /// Nats a token; of training, the mean of the batch before the step.
    package var loss: Double

    /// Makes a point.
    package init(step: Int, loss: Double) {
        self.step = step
        self.loss = loss
    }

    /// Points of a curve at most.
    static let mostPoints = 200

    /// At most `count` points: means of equal stretches, each at its last step.
    static func thinned(_ points: [LossPoint], to count: Int = mostPoints) -> [LossPoint] {
        guard points.count > count else { return points }
        return (0..<count).map { index in
            let stretch = points[
                (points.count * index / count)..<(points.count * (index + 1) / count)]
            return LossPoint(
                step: stretch.last?.step ?? 0,
                loss: stretch.reduce(0) { $0 + $1.loss } / Double(stretch.count))
        }
    }
}

/// The losses of a night step by step.
package struct LossCurves: Sendable, Codable, Equatable {
    /// Mean training loss, thinned.
    package var training: [LossPoint]
    /// Loss on the held-out conversations; empty where none are.
    package var heldOut: [LossPoint]
}
