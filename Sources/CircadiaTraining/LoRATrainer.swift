import CircadiaKernels
import CircadiaModel

/// Trains a LoRA adapter over a model's frozen weights.
///
/// The backward pass is written out by hand and stops at the first adapted block; blocks below it
/// run forward only. Memory is allocated at the first step and grows only when a micro-batch is
/// larger than any before. Results do not depend on the number of threads.
///
/// One trainer serves one thread of calls.
package final class LoRATrainer {
    /// The adapter in training; its numbers change with every step.
    package let adapter: LoRAAdapter
    /// What it was made with.
    package let options: TrainingOptions
    let model: LlamaModel
    let state: OptimizerState
    let schedule: LearningRateSchedule
    private let precision: ProductPrecisions
    private let workspace = Workspace()
    private let batch = PackedBatch()
    private var memory: TrainingMemory?
    /// Halved whenever numbers are not finite.
    var learningRateFactor: Float = 1
    /// Steps tried, those that were not applied among them.
    var stepsTried = 0

    /// Prepares to train.
    ///
    /// - Parameters:
    ///   - model: weights of any precision; the trainer uses its own.
    ///   - options: rank, scale, layers and keys are read only where there is no `initial`.
    ///   - initial: an adapter to go on from; it is copied. Nil for a fresh one from the seed.
    /// - Throws: `TrainingError.badOption` or `.adapterMismatch`.
    package init(
        model: LlamaModel, options: TrainingOptions, initial: LoRAAdapter? = nil
    ) throws(TrainingError) {
        try options.validate()
        if let initial, initial.layerCount != model.configuration.layerCount {
            throw .adapterMismatch(
                adapterLayers: initial.layerCount, modelLayers: model.configuration.layerCount)
        }
        self.model = model
        self.options = options
        precision = ProductPrecisions(options.precision)
        adapter =
            initial?.copy()
            ?? LoRAAdapter(
                configuration: options.adapterConfiguration, model: model.configuration,
                seed: options.seed)
        // Magnitudes of a fresh DoRA adapter are those of the frozen rows.
        adapter.refresh(layers: model.layers, workspace: workspace)
        state = OptimizerState(adapter: adapter)
        schedule = LearningRateSchedule(options: options)
    }

    /// One optimiser step on a batch of rows.
    ///
    /// - Parameter rows: rows without a scored token are left out.
    /// - Returns: the loss before the step. Where loss or gradient are not finite, the numbers of
    ///   the last finite step are restored and the report's `isApplied` is false.
    /// - Throws: `TrainingError.nothingToTrain` or `.unknownToken`.
    @discardableResult
    package func step(rows: [TrainingRow]) throws(TrainingError) -> StepReport {
        let prepared = try prepare(rows)
        if prepared.isEmpty { throw .nothingToTrain(rows: rows.count) }
        return step(prepared)
    }

    /// Mean loss of the rows' scored tokens under the adapter as it is, in the trainer's precision.
    ///
    /// - Returns: sum of nats and number of tokens.
    /// - Throws: `TrainingError.unknownToken`.
    package func loss(rows: [TrainingRow]) throws(TrainingError) -> ScoredLoss {
        loss(try prepare(rows))
    }

    /// The gradient of the rows' weighted mean loss, without a step: by layer and projection.
    ///
    /// For checks. Each entry holds da `[inputs, rank]` and db `[rank, outputs]`.
    ///
    /// - Throws: `TrainingError.nothingToTrain` or `.unknownToken`.
    package func gradients(
        rows: [TrainingRow]
    ) throws(TrainingError) -> [(layer: Int, projection: Projection, da: [Float], db: [Float])] {
        let prepared = try prepare(rows)
        if prepared.isEmpty { throw .nothingToTrain(rows: rows.count) }
        _ = accumulate(prepared)
        return adapter.allPairs.compactMap { layer, projection, pair in
            state.gradients(layer, projection).map { sums in
                (
                    layer, projection,
                    Array(UnsafeBufferPointer(start: sums.a, count: pair.a.count)),
                    Array(UnsafeBufferPointer(start: sums.b, count: pair.b.count))
                )
            }
        }
    }

    /// The gradient of the rows' mean loss by DoRA's magnitudes: dm `[outputs]` by layer and
    /// projection; nothing for LoRA. For checks.
    ///
    /// - Throws: `TrainingError.nothingToTrain` or `.unknownToken`.
    package func magnitudeGradients(
        rows: [TrainingRow]
    ) throws(TrainingError) -> [(layer: Int, projection: Projection, dm: [Float])] {
        let prepared = try prepare(rows)
        if prepared.isEmpty { throw .nothingToTrain(rows: rows.count) }
        _ = accumulate(prepared)
        return adapter.allPairs.compactMap { layer, projection, pair in
            guard let count = pair.magnitude?.values.count,
                let sums = state.gradients(layer, projection)
            else { return nil }
            return (
                layer, projection,
                Array(UnsafeBufferPointer(start: sums.magnitude, count: count))
            )
        }
    }

    /// Bytes of activations and optimiser held now, the model not counted.
    package var memoryByteCount: Int {
        state.byteCount + (memory?.byteCount ?? 0) + workspace.byteCount
    }

    /// Adapted blocks whose activations are computed again, at the largest micro-batch so far.
    package var recomputedBlocks: Int { memory?.recomputedBlocks ?? 0 }

    // MARK: Steps on prepared rows

    func prepare(_ rows: [TrainingRow]) throws(TrainingError) -> [PreparedRow] {
        var prepared = try PreparedRow.prepare(
            rows, options: options, vocabularySize: model.configuration.vocabularySize)
        var known: [PreparedRow.AnchorKey: FloatBuffer] = [:]
        for index in prepared.indices {
            guard let key = prepared[index].anchorKey else { continue }
            if let anchor = known[key] {
                prepared[index].anchor = anchor
                continue
            }
            let pass = pass(on: prepared[index...index])
            let held = Set(prepared[index].held)
            let scored = prepared[index].targets.indices.filter {
                held.contains(prepared[index].targets[$0])
            }
            KernelRuntime.withTeam { prepared[index].anchor = pass.baseHeadInputs(of: scored) }
            known[key] = prepared[index].anchor
        }
        return prepared
    }

    func step(_ rows: [PreparedRow]) -> StepReport {
        stepsTried += 1
        let (nats, weight, scored, tokens) = accumulate(rows)
        let norm = state.gradientNorm()
        let loss = nats / weight
        let rate = schedule.rate(step: stepsTried) * learningRateFactor
        var report = StepReport(
            step: stepsTried, loss: loss, scoredTokens: scored, tokens: tokens,
            gradientNorm: norm, learningRate: rate, isApplied: true)
        guard loss.isFinite, norm.isFinite else {
            restore()
            report.isApplied = false
            return report
        }
        // The present numbers gave a finite loss and gradient: they are good to return to.
        state.keep()
        let clips = options.clipNorm > 0 && norm > options.clipNorm
        state.advance(
            learningRate: rate, gradientScale: clips ? Float(options.clipNorm / norm) : 1,
            options: options)
        return report
    }

    /// Returns to the last good numbers and halves the learning rates to come.
    func restore() {
        state.restore()
        learningRateFactor /= 2
    }

    /// Leaves the gradient of the rows' weighted mean loss in `state`.
    ///
    /// - Returns: the weighted sum of nats and the sum of weights over scored tokens, their number, and
    ///   that of all tokens.
    func accumulate(
        _ given: [PreparedRow]
    ) -> (nats: Double, weight: Double, scored: Int, tokens: Int) {
        let longest = given.reduce(0) { max($0, $1.length) }
        let rows = options.padsRows ? given.map { $0.padded(to: longest) } : given
        let scored = rows.reduce(0) { $0 + $1.targets.count }
        let weight = rows.reduce(0) { $0 + Double($1.weight) * Double($1.targets.count) }
        state.clearGradient()
        adapter.refresh(layers: model.layers, workspace: workspace)
        let rowScale = 1 / Float(weight)
        let anchorScale = Float(options.divergenceWeight) / Float(weight)
        var nats = 0.0
        var tokens = 0
        for part in PreparedRow.microBatches(rows, options) {
            var pass = pass(on: part)
            if options.dropout > 0 {
                pass.dropout = LoRADropout(
                    probability: options.dropout, seed: options.seed, step: stepsTried)
                pass.dropout?.firstToken = tokens
            }
            KernelRuntime.withTeam {
                nats += pass.lossAndGradients(rowScale: rowScale, anchorScale: anchorScale)
            }
            tokens += part.reduce(0) { $0 + $1.length }
        }
        return (nats, weight, scored, tokens)
    }

    func loss(_ rows: [PreparedRow]) -> ScoredLoss {
        adapter.refresh(layers: model.layers, workspace: workspace)
        var total = ScoredLoss(nats: 0, tokens: 0)
        for part in PreparedRow.microBatches(rows, options) {
            let pass = pass(on: part)
            KernelRuntime.withTeam { total.nats += pass.loss() }
            total.tokens += part.reduce(0) { $0 + $1.targets.count }
        }
        return total
    }

    private func pass(on rows: ArraySlice<PreparedRow>) -> TrainingPass {
        batch.pack(rows, options)
        let memory: TrainingMemory
        if let present = self.memory, present.tokens >= batch.tokens {
            memory = present
        } else {
            self.memory = nil
            memory = TrainingMemory(
                configuration: model.configuration, tokens: batch.tokens,
                adaptedBlocks: adapter.adaptedLayers, rank: adapter.rank,
                activationByteLimit: options.activationByteLimit, isDoRA: adapter.isDoRA)
            self.memory = memory
        }
        return TrainingPass(
            model: model, adapter: adapter, state: state, memory: memory, batch: batch,
            precision: precision, workspace: workspace)
    }
}
