import CircadiaModel
import CircadiaTraining
import Foundation

/// The adapter that training produced, with its losses.
package struct Candidate {
    /// The adapter before training, present or fresh.
    package let before: LoRAAdapter
    /// The adapter after it.
    package let after: LoRAAdapter
    /// The report of every step.
    package let training: TrainingReport
    /// Held-out losses between steps.
    package let evaluations: [LossPoint]
    /// Seconds of training; for a resumed night, those since it was resumed.
    package let seconds: Double

    /// Training in numbers, as an outcome keeps it.
    package var summary: Summary {
        let tenth = max(1, training.steps.count / 10)
        return Summary(
            steps: training.steps.count, finalStep: training.finalStep,
            tokens: training.scoredTokensTrained,
            lossFirst: Self.meanLoss(training.steps.prefix(tenth)),
            lossLast: Self.meanLoss(training.steps.suffix(tenth)), end: training.end,
            restorations: training.restorations, seconds: seconds)
    }

    /// Training in numbers.
    package struct Summary: Sendable, Codable, Equatable {
        /// Optimiser steps that were taken.
        package var steps: Int
        /// The step that the adapter comes from: earlier than `steps` if an earlier evaluation was
        /// best.
        var finalStep: Int
        /// Scored tokens that were trained on, every pass counted.
        var tokens: Int
        /// Mean loss over the first and the last tenth of the steps, nats a token.
        var lossFirst, lossLast: Double
        /// Why training ended.
        var end: TrainingEnd
        /// The number of times that a loss or gradient was not finite and the last good state was
        /// restored.
        var restorations: Int
        /// Seconds of training.
        var seconds: Double
    }

    private static func meanLoss(_ steps: some Collection<StepReport>) -> Double {
        let tokens = steps.reduce(0) { $0 + $1.scoredTokens }
        return steps.reduce(0) { $0 + $1.loss * Double($1.scoredTokens) } / Double(max(1, tokens))
    }

    /// The loss curves of the night, with its held-out losses before and after at their ends.
    package func curves(heldOutBefore: Double?, heldOutAfter: Double?) -> LossCurves {
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
    /// The loss in nats a token. For training, the mean over the step's batch before its update.
    package var loss: Double

    /// Makes a point.
    package init(step: Int, loss: Double) {
        self.step = step
        self.loss = loss
    }

    /// The most points of a curve.
    package static let mostPoints = 200

    /// Reduces a curve to at most `count` points: means over equal stretches, each at its last
    /// step.
    package static func thinned(_ points: [LossPoint], to count: Int = mostPoints) -> [LossPoint] {
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
    /// Mean training loss, thinned to `LossPoint.mostPoints`.
    package var training: [LossPoint]
    /// Loss on the held-out conversations; empty if there are none.
    package var heldOut: [LossPoint]
}
