/// What a training will do and take, as far as a short measurement can tell.
package struct TrainingPlan: Sendable, Equatable, Codable {
    /// Optimiser steps.
    package var iterations: Int
    /// Tokens of all rows, every pass over them counted; those that several rows of a micro-batch begin
    /// with count for each, though computed once.
    package var tokens: Int
    /// Scored tokens among them.
    package var scoredTokens: Int
    /// Forecast of the time of all steps, evaluations between them and checkpoints.
    package var seconds: Double
    /// Forecast of the process's peak memory in training, the model counted.
    package var peakBytes: Int
    /// The part of it that training takes beside the model: adapter, optimiser, activations.
    package var trainingBytes: Int
    /// Tokens of the largest micro-batch that is allowed.
    package var microBatchTokens: Int
    /// The most micro-batches that a step is made of.
    package var microBatchesPerStep: Int
    /// Adapted blocks whose activations do not fit and are computed again.
    package var recomputedBlocks: Int
    /// Time that the measurement itself took.
    package var measuringSeconds: Double

    /// Tokens a second.
    package var tokensPerSecond: Double { seconds > 0 ? Double(tokens) / seconds : 0 }
}

/// What a training may take.
package struct TrainingLimits: Sendable, Equatable {
    /// Peak memory of the process, in bytes; nil for no limit.
    package var memory: Int?
    /// Seconds that training may take; nil for no limit.
    package var seconds: Double?
    /// Steps between checkpoints, whose time counts too; 0 for none.
    package var checkpointInterval = 0

    /// No limits.
    package init() {}
}
