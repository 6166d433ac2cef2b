/// The forecast of a training run: its steps, time and memory, from a short measurement.
package struct TrainingPlan: Sendable, Equatable, Codable {
    /// Number of optimiser steps.
    package var iterations: Int
    /// Number of tokens of all rows in all passes. A prefix that rows of a micro-batch share counts
    /// for each, although it is computed once.
    package var tokens: Int
    /// Number of scored tokens among them.
    package var scoredTokens: Int
    /// Forecast seconds of all steps, of evaluations between them and of checkpoints.
    package var seconds: Double
    /// Forecast of the process's peak memory in bytes, including the model.
    package var peakBytes: Int
    /// The bytes of it that training needs besides the model: adapter, optimiser and activations.
    package var trainingBytes: Int
    /// Largest number of tokens allowed in a micro-batch.
    package var microBatchTokens: Int
    /// Largest number of micro-batches in a step.
    package var microBatchesPerStep: Int
    /// Number of adapted blocks whose activations do not fit and are computed again.
    package var recomputedBlocks: Int
    /// Seconds that the measurement took.
    package var measuringSeconds: Double

    /// Forecast tokens a second.
    package var tokensPerSecond: Double { seconds > 0 ? Double(tokens) / seconds : 0 }
}

/// The limits on a training run.
package struct TrainingLimits: Sendable, Equatable {
    /// Peak memory of the process, in bytes; nil for no limit.
    package var memory: Int?
    /// Seconds that training may take; nil for no limit.
    package var seconds: Double?
    /// Steps between checkpoints, whose time counts too; 0 means none.
    package var checkpointInterval = 0

    /// No limits.
    package init() {}
}
