/// What one optimiser step did.
package struct StepReport: Sendable, Equatable, Codable {
    /// 1 for the first step.
    package var step: Int
    /// Mean loss of the batch's scored tokens before the step, in nats.
    package var loss: Double
    /// Scored tokens of the batch.
    package var scoredTokens: Int
    /// Tokens of its rows; those that several rows begin with count for each, though computed once.
    package var tokens: Int
    /// The norm of the gradient over all matrices, before clipping.
    package var gradientNorm: Double
    /// The learning rate of the step.
    package var learningRate: Float
    /// False where loss or gradient were not finite: the last good numbers are back in place.
    package var isApplied: Bool
}

/// Progress of a training, once a step and once an evaluation.
package struct TrainingProgress: Sendable, Equatable {
    /// What happened.
    package enum Event: Sendable, Equatable {
        /// A step was made.
        case step(StepReport)
        /// The held-out rows were scored after `step` steps; `isBest` if never lower before.
        case evaluation(step: Int, loss: Double, isBest: Bool)
        /// Loss or gradient of a step were not finite. The last good numbers are back, the step
        /// is skipped and all learning rates are multiplied by `learningRateFactor` from now on.
        case restored(step: Int, learningRateFactor: Float)
        /// Where training stands after `step` steps is on disk; the seconds are what that took.
        case checkpoint(step: Int, seconds: Double)
        /// It could not be written, for this reason; training goes on.
        case checkpointFailed(step: Int, reason: String)
    }

    /// What happened.
    package var event: Event
    /// Steps in all.
    package var iterations: Int
    /// Tokens per second since the start, evaluations not counted.
    package var tokensPerSecond: Double
    /// The time that the remaining steps will take, as far as can be told.
    package var secondsLeft: Double
}

/// Why a training ended.
package enum TrainingEnd: String, Sendable, Equatable, Codable {
    /// All iterations were made.
    case finished
    /// The caller asked for it.
    case cancelled
    /// The held-out loss no longer fell.
    case noImprovement
}

/// What a training gave and what it took.
package struct TrainingReport: Sendable, Equatable {
    /// Every step, in order; steps that were not applied too.
    package var steps: [StepReport]
    /// The mean loss per scored token over all applied steps, each before its update.
    package var trainLoss: Double
    /// Held-out loss per scored token before the first step; nil without held-out rows.
    package var heldOutLossBefore: Double?
    /// The same of the final adapter.
    package var heldOutLossAfter: Double?
    /// Steps behind the final adapter's numbers.
    package var finalStep: Int
    /// Rows that could be trained on.
    package var rows: Int
    /// Ids of the rows that the final adapter's steps were made of: fewer than all where training ended
    /// within the first pass.
    package var idsTrained: Set<String>
    /// Rows without a token to train on.
    package var skippedRows: Int
    /// Tokens of all steps' rows.
    package var tokensTrained: Int
    /// Scored tokens among them.
    package var scoredTokensTrained: Int
    /// Times that numbers were not finite and the last good ones were restored.
    package var restorations: Int
    /// Time of all steps, evaluations not counted.
    package var trainingSeconds: Double
    /// Bytes of activations and optimiser, the model not counted.
    package var memoryByteCount: Int
    /// Why it ended.
    package var end: TrainingEnd
}
