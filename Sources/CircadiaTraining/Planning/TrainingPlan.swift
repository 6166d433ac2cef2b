/// What a training will do and take, as far as a short measurement can tell.
public struct TrainingPlan: Sendable, Equatable, Codable {
    /// Optimiser steps.
    public var iterations: Int
    /// Tokens of all rows, every pass over them counted; those that several rows of a micro-batch begin
    /// with count for each, though computed once.
    public var tokens: Int
    /// Scored tokens among them.
    public var scoredTokens: Int
    /// Forecast of the time of all steps, evaluations between them and checkpoints.
    public var seconds: Double
    /// Forecast of the process's peak memory in training, the model counted.
    public var peakBytes: Int
    /// The part of it that training takes beside the model: adapter, optimiser, activations.
    public var trainingBytes: Int
    /// Tokens of the largest micro-batch that is allowed.
    public var microBatchTokens: Int
    /// The most micro-batches that a step is made of.
    public var microBatchesPerStep: Int
    /// Adapted blocks whose activations do not fit and are computed again.
    public var recomputedBlocks: Int
    /// Time that the measurement itself took.
    public var measuringSeconds: Double

    /// Tokens a second.
    public var tokensPerSecond: Double { seconds > 0 ? Double(tokens) / seconds : 0 }
}

/// What a training may take.
public struct TrainingLimits: Sendable, Equatable {
    /// Peak memory of the process, in bytes; nil for no limit.
    public var memory: Int?
    /// Seconds that training may take; nil for no limit.
    public var seconds: Double?
    /// Steps between checkpoints, whose time counts too; 0 for none.
    public var checkpointInterval = 0

    /// No limits.
    public init() {}
}
