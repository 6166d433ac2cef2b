import CircadiaTraining
import Foundation

/// The settings of a night; the defaults are those of `circadia sleep`, found by measurement
/// (`Benchmarks/recipes.py`).
package struct SleepOptions: Sendable, Codable, Equatable {
    /// The optimiser.
    package enum Optimizer: String, Sendable, Codable, CaseIterable {
        /// Adam (Kingma and Ba 2015).
        case adam
        /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
        case adamw
    }

    /// Optimiser steps. If nil, `epochs` decides, or without it the number of rows
    /// (`steps(rows:)`).
    package var iterations: Int?
    /// Passes over all rows; ignored if `iterations` is given.
    package var epochs: Double?
    /// Peak learning rate.
    package var learningRate: Float = 2e-4
    /// Rows in a step: exchanges and general texts.
    package var batchSize = 6
    /// Micro-batches of `batchSize` exchanges whose gradients a step adds up.
    package var gradientAccumulation = 1
    /// Rank of the LoRA matrices.
    package var loraRank = 8
    /// Multiplies the LoRA product (MLX's scale; PEFT's alpha is scale · rank).
    package var loraScale: Float = 20
    /// Adapted blocks, counted from the last; -1 means all.
    package var loraLayers = -1
    /// Paths of the adapted matrices of a block; nil means all seven.
    package var loraKeys: [String]?
    /// Trains a DoRA adapter: magnitudes as well as directions.
    package var usesDoRA = false
    /// Trains as mlx_lm.lora does, for comparison.
    package var matchesMLX = false
    /// Tokens at which a row is cut.
    package var maxSequenceLength = 1024
    /// Steps over which the learning rate rises from 0.
    package var warmupSteps = 5
    /// The learning rate's schedule after the warmup.
    package var schedule = TrainingOptions.Schedule.constant
    /// The optimiser.
    package var optimizer = Optimizer.adam
    /// AdamW's weight decay.
    package var weightDecay: Float = 0.01
    /// Whether Adam's moments are divided by 1 − βᵗ.
    package var usesBiasCorrection = true
    /// Largest global gradient norm; 0 means no limit.
    package var clipNorm: Float = 1
    /// Probability with which an element of an adapter's input is left out in training.
    package var dropout = 0.0
    /// Steps between evaluations on the held-out conversations. The adapter of the best one is
    /// kept. 0 means none.
    package var evaluationInterval = 0
    /// Evaluations without a new lowest loss after which training ends; 0 means never.
    package var patience = 0
    /// The process's memory limit in bytes; nil means no limit.
    package var memoryLimit: Int?
    /// The time by which the night should end; steps that do not fit are left out.
    package var finishBy: Date?
    /// Starts from a fresh adapter instead of continuing with the present one.
    package var resetAdapter = false
    /// The most paraphrased pairs to train on; 0 writes none.
    package var augmentedPairs = 0
    /// Pairs for each stated preference, answered by the model with the preferences in its prompt.
    /// Nil or 0 writes none; the records of the earliest nights have nil.
    package var preferencePairs: Int? = 32
    /// General texts for each exchange of the night and each row of preference pairs; they rehearse
    /// general skills.
    package var rehearsalShare = 0.5
    /// Weight of the KL divergence from the base model (nats a token) on general texts. Nil trains
    /// on their words instead.
    package var divergenceWeight: Double? = 10
    /// Share of older exchanges among the person's exchanges that a night trains, 0 ... 1. Due ones
    /// are taken, the most urgent first. 0 takes none, 1 takes every older one. Nil takes three
    /// tenths, and more if the steps reach more in one pass.
    package var replayShare: Double?
    /// Share of conversations that are never trained on.
    package var heldOutShare = 0.15
    /// The gate's limits; nil accepts any night whose loss is finite.
    package var gate: GateLimits? = GateLimits()
    /// Whether the gate also measures general texts, replies and the harness.
    package var judgesHarm = true
    /// Steps between checkpoints, from which an interrupted night resumes; 0 means only at the
    /// start.
    package var checkpointInterval = 10
    /// Held-out questions that are answered before and after the night, for the report; 0 means
    /// none.
    package var diaryQuestions = 3
    /// The most tokens of such an answer.
    package var diaryTokens = 64
    /// Seed of the split of batches, the initial adapter and the paraphrases.
    package var seed: UInt64 = 0

    /// The defaults.
    package init() {}

    /// Passes over all rows if neither steps nor passes are given.
    private static let usualEpochs = 1.5
    /// The fewest and the most steps of such a night.
    private static let usualSteps = 8...300

    /// The fewest steps of a night, however few its rows; 0 if `epochs` decides.
    package var leastSteps: Int { iterations ?? (epochs == nil ? Self.usualSteps.lowerBound : 0) }

    /// Optimiser steps of a night with `rows` rows.
    package func steps(rows: Int) -> Int {
        if let iterations { return iterations }
        let batch = batchSize * gradientAccumulation
        let batches = Double((rows + batch - 1) / batch)
        if let epochs { return max(1, Int((epochs * batches).rounded(.up))) }
        let steps = Int((Self.usualEpochs * batches).rounded(.up))
        return min(max(steps, Self.usualSteps.lowerBound), Self.usualSteps.upperBound)
    }
}
