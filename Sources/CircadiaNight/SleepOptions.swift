import CircadiaTraining
import Foundation

/// The settings of a night; the defaults are those of `circadia sleep`, found by measurement
/// (`Benchmarks/recipes.py`).
package struct SleepOptions: Sendable, Codable, Equatable {
    /// What the numbers are optimised by.
    package enum Optimizer: String, Sendable, Codable, CaseIterable {
        /// Adam (Kingma and Ba 2015).
        case adam
        /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
        case adamw
    }

    /// Optimiser steps; nil for as many as `epochs` or, without these, the night's material asks for.
    package var iterations: Int?
    /// Passes over all rows; not used where `iterations` is given.
    package var epochs: Double?
    /// Peak learning rate.
    package var learningRate: Float = 2e-4
    /// Rows in a step: exchanges and what is rehearsed.
    package var batchSize = 6
    /// Micro-batches of `batchSize` exchanges whose gradients a step adds up.
    package var gradientAccumulation = 1
    /// Rank of the LoRA matrices.
    package var loraRank = 8
    /// Multiplies the LoRA product (MLX's scale; PEFT's alpha is scale · rank).
    package var loraScale: Float = 20
    /// Adapted blocks, counted from the last; -1 means all.
    package var loraLayers = -1
    /// Adapted matrices of a block by their paths; nil means all seven.
    package var loraKeys: [String]?
    /// Trains magnitudes beside directions.
    package var usesDoRA = false
    /// Trains as mlx_lm.lora does, for comparison.
    package var matchesMLX = false
    /// Tokens at which a row is cut.
    package var maxSequenceLength = 1024
    /// Steps over which the learning rate rises from 0.
    package var warmupSteps = 5
    /// What follows the rise.
    package var schedule = TrainingOptions.Schedule.constant
    /// What the numbers are optimised by.
    package var optimizer = Optimizer.adam
    /// AdamW's weight decay.
    package var weightDecay: Float = 0.01
    /// Whether Adam's moments are divided by 1 − βᵗ.
    package var usesBiasCorrection = true
    /// Largest global gradient norm; 0 for no limit.
    package var clipNorm: Float = 1
    /// Probability with which an element of an adapter's input is left out in training.
    package var dropout = 0.0
    /// Steps between evaluations on the held-out conversations; the numbers of the best one are
    /// kept. 0 for none.
    package var evaluationInterval = 0
    /// Evaluations without a new lowest loss after which training ends; 0 for never.
    package var patience = 0
    /// Most memory of the process, in bytes; nil for no limit.
    package var memoryLimit: Int?
    /// When the night should have ended; steps that do not fit are left out.
    package var finishBy: Date?
    /// Starts from a fresh adapter instead of going on with the present one.
    package var resetAdapter = false
    /// Paraphrased pairs to train on at most; 0 writes none.
    package var augmentedPairs = 0
    /// Pairs for each preference that the person stated, as the model answers when it is told of them;
    /// nil or 0 writes none, as in nights of before there were any.
    package var preferencePairs: Int? = 32
    /// General-purpose texts mixed in, per exchange of the log and per row of preference pairs, so that
    /// skills are rehearsed too.
    package var rehearsalShare = 0.5
    /// Weight of the general texts' divergence from the base model (KL, nats a token), which they
    /// hold small; nil trains on their words instead.
    package var divergenceWeight: Double? = 10
    /// Share of older exchanges among the person's that a night trains, 0 ... 1: those that are due, the
    /// most urgent first. 0 takes none, 1 every older one; nil three tenths, and as many more as the steps
    /// reach in one pass.
    package var replayShare: Double?
    /// Share of conversations that are never trained on.
    package var heldOutShare = 0.15
    /// What the gate lets pass; nil accepts any night.
    package var gate: GateLimits? = GateLimits()
    /// Whether the gate also judges by general texts, replies and the harness.
    package var judgesHarm = true
    /// Steps between checkpoints, from which an interrupted night goes on; 0 for the start only.
    package var checkpointInterval = 10
    /// Held-out questions that are answered before and after, for the morning's report; 0 for none.
    package var diaryQuestions = 3
    /// Tokens that such an answer may have.
    package var diaryTokens = 64
    /// Seed of the split of batches, the initial adapter and the paraphrases.
    package var seed: UInt64 = 0

    /// The defaults.
    package init() {}

    /// Passes over all rows where neither steps nor passes are given.
    private static let usualEpochs = 1.5
    /// Steps that such a night has at least and at most.
    private static let usualSteps = 8...300

    /// Steps that a night has however little there is; 0 where the passes are counted.
    package var leastSteps: Int { iterations ?? (epochs == nil ? Self.usualSteps.lowerBound : 0) }

    /// Optimiser steps of a night of so many rows.
    package func steps(rows: Int) -> Int {
        if let iterations { return iterations }
        let batch = batchSize * gradientAccumulation
        let batches = Double((rows + batch - 1) / batch)
        if let epochs { return max(1, Int((epochs * batches).rounded(.up))) }
        let steps = Int((Self.usualEpochs * batches).rounded(.up))
        return min(max(steps, Self.usualSteps.lowerBound), Self.usualSteps.upperBound)
    }
}
