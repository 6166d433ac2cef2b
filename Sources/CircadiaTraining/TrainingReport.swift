/// The result of one optimiser step.
package struct StepReport: Sendable, Equatable, Codable {
    /// The step's number, from 1.
    package var step: Int
    /// Mean loss of the batch's scored tokens before the step, in nats.
    package var loss: Double
    /// Number of scored tokens in the batch.
    package var scoredTokens: Int
    /// Number of tokens of its rows. A shared prefix counts for each row, although it is computed
    /// once.
    package var tokens: Int
    /// The norm of the gradient over all matrices, before clipping.
    package var gradientNorm: Double
    /// The learning rate of the step.
    package var learningRate: Float
    /// False if loss or gradient were not finite and the last good values were restored.
    package var isApplied: Bool
}

/// Progress of a training run, reported after each step and evaluation.
package struct TrainingProgress: Sendable, Equatable {
    /// The event.
    package enum Event: Sendable, Equatable {
        /// A step was applied.
        case step(StepReport)
        /// The held-out rows were scored after `step` steps. `loss` is in nats a token. `isBest` is
        /// true if it was never lower before.
        case evaluation(step: Int, loss: Double, isBest: Bool)
        /// Loss or gradient of a step were not finite. The last good values are restored, the step
        /// is skipped and all later learning rates are multiplied by `learningRateFactor`.
        case restored(step: Int, learningRateFactor: Float)
        /// The state after `step` steps was written to the disk in `seconds` seconds.
        case checkpoint(step: Int, seconds: Double)
        /// The checkpoint could not be written, for this reason. The run continues.
        case checkpointFailed(step: Int, reason: String)
    }

    /// The event.
    package var event: Event
    /// Number of steps of the whole run.
    package var iterations: Int
    /// Tokens per second since the start, without evaluations.
    package var tokensPerSecond: Double
    /// Estimated seconds for the remaining steps.
    package var secondsLeft: Double
}

/// Why a training run ended.
package enum TrainingEnd: String, Sendable, Equatable, Codable {
    /// All iterations are done.
    case finished
    /// The caller cancelled the run.
    case cancelled
    /// The held-out loss stopped falling.
    case noImprovement
}

/// The result of a training run and its cost.
package struct TrainingReport: Sendable, Equatable {
    /// Every step in order, including steps that were not applied.
    package var steps: [StepReport]
    /// The mean loss per scored token over all applied steps, each before its update.
    package var trainLoss: Double
    /// Held-out loss per scored token before the first step; nil without held-out rows.
    package var heldOutLossBefore: Double?
    /// Held-out loss per scored token of the final adapter; nil if it was not evaluated.
    package var heldOutLossAfter: Double?
    /// The number of steps that produced the final adapter.
    package var finalStep: Int
    /// Number of rows that could be trained on.
    package var rows: Int
    /// Ids of the rows in the final adapter's steps. They are fewer than all rows if the run ended
    /// within the first pass.
    package var idsTrained: Set<String>
    /// Number of rows without a token to train on.
    package var skippedRows: Int
    /// Number of tokens of all steps' rows.
    package var tokensTrained: Int
    /// Number of scored tokens among them.
    package var scoredTokensTrained: Int
    /// Number of times that loss or gradient were not finite and the last good values were
    /// restored.
    package var restorations: Int
    /// Seconds of all steps, without evaluations.
    package var trainingSeconds: Double
    /// Bytes of activations and optimiser state, without the model.
    package var memoryByteCount: Int
    /// Why the run ended.
    package var end: TrainingEnd
}
