import CircadiaModel
import Dispatch

/// Plans a training run before it begins.
///
/// It fits the micro-batch to a memory limit, measures a few micro-batches, forecasts the time of
/// every step, and fits the number of steps to a time limit.
///
/// The measurement computes gradients and discards them, so the run has the same bits with and
/// without it.
package struct TrainingPlanner {
    private let model: LlamaModel
    private let initial: LoRAAdapter?
    private let limits: TrainingLimits

    /// A planner for training runs of `model` that continue from `initial`.
    package init(model: LlamaModel, initial: LoRAAdapter?, limits: TrainingLimits) {
        self.model = model
        self.initial = initial
        self.limits = limits
    }

    /// Finds options within the limits and forecasts their cost.
    ///
    /// The recipe does not change: rows per step, their order and learning rates do not depend on
    /// memory. They depend only on `iterations`, which a time limit lowers.
    ///
    /// - Parameters:
    ///   - wanted: the options; `iterations` is an upper bound.
    ///   - rows: the rows to train on.
    ///   - heldOut: the rows to evaluate during the run.
    /// - Returns: `wanted` with micro-batch, activations and iterations within the limits, and the
    ///   forecast for them.
    /// - Throws: `TrainingError.memoryLimit` or `.timeLimit` if nothing fits, and the errors of
    ///   `LoRATrainer`.
    package func plan(
        _ wanted: TrainingOptions, rows: [TrainingRow], heldOut: [TrainingRow] = []
    ) throws(TrainingError) -> (options: TrainingOptions, plan: TrainingPlan) {
        try wanted.validate()
        let before = ResidentMemory.current + Self.otherBytes
        let prepared = try PreparedRow.prepare(
            rows, options: wanted, vocabularySize: model.configuration.vocabularySize)
        if prepared.isEmpty { throw .nothingToTrain(rows: rows.count) }
        try wanted.validate(rows: prepared.count)
        let evaluated = try PreparedRow.prepare(
            heldOut, options: wanted, vocabularySize: model.configuration.vocabularySize)
        var options = wanted
        let memory = memoryModel(options, rows: prepared)
        try fit(&options, memory, before: before, rows: prepared + evaluated)

        var timing = try TrainingTiming(
            model: model, initial: initial, options: options, rows: prepared,
            heldOutRows: evaluated.count, checkpointInterval: limits.checkpointInterval)
        timing.addEvaluations(of: evaluated)
        let schedule = timing.schedule(within: limits.seconds)
        guard schedule.iterations > 0 || wanted.iterations == 0 else {
            throw .timeLimit(seconds: limits.seconds ?? 0, step: timing.firstStepSeconds)
        }
        options.iterations = schedule.iterations
        let largest = timing.largestMicroBatch
        let kept = memory.keptBlocks(
            tokens: largest, activationByteLimit: options.activationByteLimit)
        let bytes = memory.byteCount(
            tokens: largest, activationByteLimit: options.activationByteLimit)
        return (
            options,
            TrainingPlan(
                iterations: schedule.iterations, tokens: schedule.tokens,
                scoredTokens: schedule.scored, seconds: schedule.seconds,
                peakBytes: before + bytes, trainingBytes: bytes,
                microBatchTokens: options.maxTokensPerMicroBatch,
                microBatchesPerStep: timing.mostMicroBatches,
                recomputedBlocks: memory.adaptedBlocks - kept,
                measuringSeconds: timing.measuringSeconds)
        )
    }

    private func memoryModel(
        _ options: TrainingOptions, rows: [PreparedRow]
    ) -> TrainingMemoryModel {
        let configuration = initial?.configuration ?? options.adapterConfiguration
        let layers = configuration.adaptedLayers(of: model.configuration.layerCount)
        let rank = configuration.loraParameters.rank
        let isDoRA = configuration.kind == .dora
        let keys = configuration.loraParameters.keys
        let adapted = Projection.allCases.filter { keys?.contains($0.rawValue) ?? true }
        let magnitudes =
            !isDoRA
            ? 0 : layers.count * adapted.reduce(0) { $0 + $1.outputs(of: model.configuration) }
        let parameters =
            initial?.parameterCount
            ?? magnitudes + layers.count * rank
            * adapted.reduce(0) {
                $0 + $1.inputs(of: model.configuration) + $1.outputs(of: model.configuration)
            }
        return TrainingMemoryModel(
            configuration: model.configuration, options: options, adaptedBlocks: layers.count,
            rank: rank, parameters: parameters, magnitudes: magnitudes,
            hasAnchors: rows.contains { !$0.anchored.isEmpty })
    }

    /// Shrinks the micro-batch until it fits, then gives the remaining memory to activations, so
    /// that fewer blocks are computed again.
    private func fit(
        _ options: inout TrainingOptions, _ memory: TrainingMemoryModel, before: Int,
        rows: [PreparedRow]
    ) throws(TrainingError) {
        guard let limit = limits.memory else { return }
        let longest = rows.reduce(1) { max($0, $1.length) }
        // Micro-batches below this many tokens no longer pay for unpacking the weights.
        let smallest = max(longest, min(Self.efficientTokens, options.maxTokensPerMicroBatch))
        var tokens = max(longest, options.maxTokensPerMicroBatch)
        func taken(_ tokens: Int) -> Int {
            before + memory.byteCount(tokens: tokens, activationByteLimit: 0)
        }
        while tokens > smallest, taken(tokens) > limit { tokens = max(smallest, tokens * 3 / 4) }
        while tokens > longest, taken(tokens) > limit { tokens = max(longest, tokens * 3 / 4) }
        guard taken(tokens) <= limit else {
            throw .memoryLimit(limit: limit, least: taken(longest), model: before, row: longest)
        }
        options.maxTokensPerMicroBatch = tokens
        options.activationByteLimit = limit - taken(tokens)
    }

    private static let efficientTokens = 128
    /// Other allocations of a night: rows, reports, an adapter being written. Measured: 10 to 20
    /// MB.
    private static let otherBytes = 24 << 20
}
