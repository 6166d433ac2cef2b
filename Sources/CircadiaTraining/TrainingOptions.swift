import CircadiaFormats
import CircadiaKernels

/// How an adapter is trained. The defaults are those of mlx_lm; a night sets its own.
package struct TrainingOptions: Sendable, Equatable, Codable {
    /// The shape of the learning rate after the warm-up.
    package enum Schedule: String, Sendable, Equatable, Codable, CaseIterable {
        /// It stays at the peak.
        case constant
        /// It falls along half a cosine, to zero at the last step.
        case cosine
    }

    /// Which rows form a batch.
    package enum Order: String, Sendable, Equatable, Codable, CaseIterable {
        /// Shuffled anew each epoch, with rows of like length together and batches shuffled.
        case bucketed
        /// Shuffled anew each epoch.
        case shuffled
        /// As given, repeated from the start. A batch may continue at the first row. For
        /// comparisons.
        case given
        /// As in mlx_lm.lora; see `matchMLX`.
        case mlx
    }

    // MARK: Amount

    /// Optimiser steps.
    package var iterations = 50
    /// Rows per step.
    package var batchSize = 4
    /// Tokens of a row; longer rows are cut at the end.
    package var maxSequenceLength = 1024
    /// Tokens that pass through the model together. Larger batches are split and their gradients
    /// are accumulated, weighted by tokens. A row is never split.
    package var maxTokensPerMicroBatch = 512

    /// Rows that pass through the model together; 0 means as many as fit. If it is less than the
    /// batch size, gradients are accumulated.
    package var maxRowsPerMicroBatch = 0

    /// Pads the rows of a batch to the longest one, as programs without packing do. It serves to
    /// measure what packing saves. Padding passes through the model like any token and is never
    /// scored.
    package var padsRows = false

    // MARK: Adapter

    /// LoRA or DoRA.
    package var kind = AdapterConfiguration.Kind.lora
    /// Columns of every `lora_a`.
    package var rank = 8
    /// The factor on the low-rank product. It is not alpha / rank.
    package var scale = 20.0
    /// Number of adapted blocks, counted from the last; less than 1 means all.
    package var layers = 16
    /// Probability of leaving out an element of an adapter's input.
    package var dropout = 0.0
    /// Module paths inside a block, such as `self_attn.q_proj`; nil means all seven.
    package var keys: [String]?

    // MARK: Optimiser

    /// The learning rate after the warm-up.
    package var learningRate: Float = 2e-5
    /// Steps over which the learning rate rises linearly from zero.
    package var warmupSteps = 0
    /// The shape of the learning rate after the warm-up.
    package var schedule = Schedule.constant
    /// Decay of the first moment.
    package var beta1: Float = 0.9
    /// Decay of the second moment.
    package var beta2: Float = 0.999
    /// Added to the root of the second moment.
    package var epsilon: Float = 1e-8
    /// Decoupled weight decay (AdamW); 0 for Adam.
    package var weightDecay: Float = 0
    /// Divides Adam's moments by 1 − βᵗ.
    package var usesBiasCorrection = true
    /// The largest norm of the gradient over all matrices. A larger gradient is scaled down to it;
    /// 0 turns this off.
    package var clipNorm = 1.0

    // MARK: Rows anchored to the base model

    /// The weight of the KL divergence at each anchored token.
    package var divergenceWeight = 1.0

    // MARK: Held-out loss

    /// Steps between evaluations on the held-out rows; 0 evaluates only before and after the run.
    package var evaluationInterval = 0
    /// Whether the run ends with the adapter of the lowest held-out loss.
    package var keepsBest = false
    /// Evaluations without a new lowest loss after which the run ends; 0 means never.
    package var patience = 0

    // MARK: Machine

    /// Decides the initial adapter and the order of the rows.
    package var seed: UInt64 = 0
    /// Which rows form a batch.
    package var order = Order.bucketed
    /// `.bf16`, or `.exact` for checks. `.bf16` is exact if the processor lacks it.
    /// `ProductPrecisions` says what it rounds.
    package var precision = Precision.bf16
    /// Bytes for activations that the backward pass needs. Blocks that do not fit keep only their
    /// input, and the rest is computed again.
    package var activationByteLimit = 512 << 20

    /// Creates options with the defaults.
    package init() {}

    /// The `adapter_config.json` of an adapter made with these options.
    package var adapterConfiguration: AdapterConfiguration {
        AdapterConfiguration(
            kind: kind, numLayers: layers < 1 ? -1 : layers,
            loraParameters: AdapterConfiguration.LoRAParameters(
                rank: rank, scale: scale, dropout: dropout, keys: keys))
    }

    /// Checks values against each other.
    ///
    /// - Throws: `TrainingError.badOption` naming the option.
    package func validate() throws(TrainingError) {
        try Self.check(iterations >= 0, "iterations", "0 or more", iterations)
        try Self.check(batchSize >= 1, "batchSize", "1 or more", batchSize)
        try Self.check(maxSequenceLength >= 2, "maxSequenceLength", "2 or more", maxSequenceLength)
        try Self.check(
            maxTokensPerMicroBatch >= 1, "maxTokensPerMicroBatch", "1 or more",
            maxTokensPerMicroBatch)
        try Self.check(
            maxRowsPerMicroBatch >= 0, "maxRowsPerMicroBatch", "0 or more", maxRowsPerMicroBatch)
        try Self.check(
            (0..<0.95).contains(dropout), "dropout", "0 or more, less than 0.95", dropout)
        try Self.check((1...1024).contains(rank), "rank", "1 to 1024", rank)
        try Self.check(scale.isFinite, "scale", "a finite number", scale)
        try Self.check(
            learningRate.isFinite && learningRate >= 0, "learningRate", "0 or more", learningRate)
        try Self.check(warmupSteps >= 0, "warmupSteps", "0 or more", warmupSteps)
        try Self.check((0..<1).contains(beta1), "beta1", "0 or more, less than 1", beta1)
        try Self.check((0..<1).contains(beta2), "beta2", "0 or more, less than 1", beta2)
        try Self.check(epsilon > 0 && epsilon.isFinite, "epsilon", "more than 0", epsilon)
        try Self.check(
            weightDecay.isFinite && weightDecay >= 0, "weightDecay", "0 or more", weightDecay)
        try Self.check(clipNorm.isFinite && clipNorm >= 0, "clipNorm", "0 or more", clipNorm)
        try Self.check(
            divergenceWeight.isFinite && divergenceWeight >= 0, "divergenceWeight", "0 or more",
            divergenceWeight)
        try Self.check(
            evaluationInterval >= 0, "evaluationInterval", "0 or more", evaluationInterval)
        try Self.check(patience >= 0, "patience", "0 or more", patience)
        try Self.check(precision != .int8, "precision", "bf16 or exact", precision)
        for key in keys ?? [] {
            try Self.check(
                AdapterTensorName.modules.contains(key), "keys",
                "some of " + AdapterTensorName.modules.joined(separator: ", "), key)
        }
        try Self.check(keys?.isEmpty != true, "keys", "at least one module, or none given", "[]")
    }

    /// Checks that `rows` rows are enough for a batch.
    ///
    /// - Throws: `TrainingError.badOption`.
    func validate(rows: Int) throws(TrainingError) {
        guard order == .mlx else { return }
        try Self.check(
            rows >= batchSize, "batchSize",
            "at most \(rows), the rows there are: mlx_lm trains full batches only", batchSize)
    }

    private static func check(
        _ isGood: Bool, _ option: String, _ expected: String, _ found: some Any
    ) throws(TrainingError) {
        if isGood { return }
        throw .badOption(name: option, expected: expected, found: "\(found)")
    }
}
