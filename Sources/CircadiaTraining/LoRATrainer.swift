import CircadiaKernels
import CircadiaModel

/// Trains a LoRA or DoRA adapter over a model's frozen weights.
///
/// The backward pass is written by hand and stops at the first adapted block. Blocks below it run
/// forward only. Memory is allocated at the first step and grows only for a larger micro-batch.
/// Results do not depend on the number of threads.
///
/// A trainer is not thread-safe: only one thread may call it at a time.
package final class LoRATrainer {
    /// The adapter being trained. Every step changes its values.
    package let adapter: LoRAAdapter
    /// The options of the run.
    package let options: TrainingOptions
    let model: LlamaModel
    let state: OptimizerState
    let schedule: LearningRateSchedule
    private let precision: ProductPrecisions
    private let workspace = Workspace()
    private let batch = PackedBatch()
    private var memory: TrainingMemory?
    /// The factor on all learning rates. It is halved whenever loss or gradient are not finite.
    var learningRateFactor: Float = 1
    /// Steps tried, including those that were not applied.
    var stepsTried = 0

    /// Creates a trainer.
    ///
    /// - Parameters:
    ///   - model: the frozen model, in any precision; `options.precision` decides how products are
    ///     computed.
    ///   - options: rank, scale, layers and keys are read only if `initial` is nil.
    ///   - initial: the adapter to continue from; it is copied. Nil starts a new one from the seed.
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
        // A new DoRA adapter's magnitudes are those of the frozen rows.
        adapter.refresh(layers: model.layers, workspace: workspace)
        state = OptimizerState(adapter: adapter)
        schedule = LearningRateSchedule(options: options)
    }

    /// Takes one optimiser step on a batch of rows.
    ///
    /// - Parameter rows: rows without a scored token are skipped.
    /// - Returns: the loss before the step. If loss or gradient are not finite, the values of the
    ///   last finite step are restored and `isApplied` is false.
    /// - Throws: `TrainingError.nothingToTrain` or `.unknownToken`.
    @discardableResult
    package func step(rows: [TrainingRow]) throws(TrainingError) -> StepReport {
        let prepared = try prepare(rows)
        if prepared.isEmpty { throw .nothingToTrain(rows: rows.count) }
        return step(prepared)
    }

    /// The loss of the rows' scored tokens with the present adapter, in the trainer's precision.
    ///
    /// - Returns: the sum in nats and the number of tokens.
    /// - Throws: `TrainingError.unknownToken`.
    package func loss(rows: [TrainingRow]) throws(TrainingError) -> ScoredLoss {
        loss(try prepare(rows))
    }

    /// Computes the gradient of the rows' weighted mean loss without taking a step. For checks.
    ///
    /// - Parameter rows: rows without a scored token are skipped.
    /// - Returns: da `[inputs, rank]` and db `[rank, outputs]` for each layer and projection.
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

    /// Computes the gradient of the rows' mean loss by DoRA's magnitudes without taking a step. For
    /// checks.
    ///
    /// - Parameter rows: rows without a scored token are skipped.
    /// - Returns: dm `[outputs]` for each layer and projection; empty for LoRA.
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

    /// Bytes of activations and optimiser state in use now, without the model.
    package var memoryByteCount: Int {
        state.byteCount + (memory?.byteCount ?? 0) + workspace.byteCount
    }

    /// The number of adapted blocks whose activations are computed again, at the largest
    /// micro-batch so far.
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
            let anchored = Set(prepared[index].anchored)
            let scored = prepared[index].targets.indices.filter {
                anchored.contains(prepared[index].targets[$0])
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
        // The present values gave a finite loss and gradient, so it is safe to return to them.
        state.keep()
        let clips = options.clipNorm > 0 && norm > options.clipNorm
        state.advance(
            learningRate: rate, gradientScale: clips ? Float(options.clipNorm / norm) : 1,
            options: options)
        return report
    }

    /// Returns to the last good values and halves all later learning rates.
    func restore() {
        state.restore()
        learningRateFactor /= 2
    }

    /// Computes the gradient of the rows' weighted mean loss and leaves it in `state`.
    ///
    /// - Returns: the weighted sum of nats and the sum of weights over scored tokens, the number of
    ///   scored tokens, and the number of all tokens.
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
