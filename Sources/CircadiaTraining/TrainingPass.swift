import CircadiaKernels
import CircadiaModel

/// One pass of a packed batch through the frozen model and its adapter, with all operands.
struct TrainingPass {
    let model: LlamaModel
    let adapter: LoRAAdapter
    let state: OptimizerState
    let memory: TrainingMemory
    let batch: PackedBatch
    let precision: ProductPrecisions
    let workspace: Workspace
    /// The dropout of the adapters' inputs; nil means none.
    var dropout: LoRADropout?
    /// Whether the pass leaves the adapter out.
    var isBase = false

    var shape: BlockShape { memory.shape }
    var tokens: Int { batch.tokens }

    /// The loss of the batch's scored tokens, summed, in nats. It stores no activations.
    func loss() -> Double {
        let stream = memory.streams[0].pointer
        model.embedding.embed(batch.ids, into: stream)
        for layer in model.layers {
            forward(
                layer, input: stream, middle: stream, output: stream, activations: memory.shared,
                innerDown: memory.innerDown.first?.pointer)
        }
        return headLoss(stream: stream, rowScale: 1, anchorScale: 1, gradient: nil)
    }

    /// Computes the input of the base model's head at some of the scored tokens.
    ///
    /// - Parameter scored: indices into `batch.scoredTokens`.
    /// - Returns: `[scored, hidden]`.
    func baseHeadInputs(of scored: [Int]) -> FloatBuffer {
        var base = self
        base.isBase = true
        let stream = memory.streams[0].pointer
        model.embedding.embed(batch.ids, into: stream)
        for layer in model.layers {
            base.forward(
                layer, input: stream, middle: stream, output: stream, activations: memory.shared,
                innerDown: nil)
        }
        let width = shape.hidden
        let inputs = FloatBuffer(count: scored.count * width)
        for (row, index) in scored.enumerated() {
            (inputs.pointer + row * width).update(
                from: stream + batch.scoredTokens[index] * width, count: width)
        }
        Kernels.rmsNorm(
            x: inputs.pointer, weight: model.finalNorm.pointer, tokens: scored.count,
            width: width, epsilon: shape.epsilon, y: inputs.pointer)
        return inputs
    }

    /// Computes the loss and adds the gradients of `rowScale · loss` to the optimiser's.
    ///
    /// - Parameters:
    ///   - rowScale: the factor on the gradient of tokens with a cross-entropy loss.
    ///   - anchorScale: the factor on the gradient of anchored tokens.
    /// - Returns: the loss in nats, summed and weighted.
    func lossAndGradients(rowScale: Float, anchorScale: Float) -> Double {
        let first = memory.streams[0].pointer
        model.embedding.embed(batch.ids, into: first)
        for layer in model.layers.prefix(memory.frozenBlocks) {
            forward(
                layer, input: first, middle: first, output: first, activations: memory.shared,
                innerDown: nil)
        }
        let adapted = memory.kept.count
        for index in 0..<adapted {
            let activations = memory.kept[index] ?? memory.shared
            forward(
                model.layers[memory.frozenBlocks + index], input: memory.streams[index].pointer,
                middle: activations.middle.pointer, output: memory.streams[index + 1].pointer,
                activations: activations, innerDown: memory.innerDown[index].pointer)
        }
        let gradient = memory.gradient.pointer
        gradient.update(repeating: 0, count: tokens * shape.hidden)
        let loss = headLoss(
            stream: memory.streams[adapted].pointer, rowScale: rowScale,
            anchorScale: anchorScale, gradient: gradient)
        for index in (0..<adapted).reversed() {
            backward(model.layers[memory.frozenBlocks + index], index: index)
        }
        return loss
    }

    /// Adds an adapter's output to `y` and keeps `x·a` in `inner`.
    @inline(__always)
    func adapt(
        _ projection: Projection, layer: Int, x: UnsafePointer<Float>,
        inner: UnsafeMutablePointer<Float>, y: UnsafeMutablePointer<Float>
    ) {
        guard !isBase, let pair = adapter[layer, projection] else { return }
        Kernels.lora(
            x: dropped(x, projection, layer: layer, width: pair.inputs), a: pair.a.pointer,
            b: pair.b.pointer, scale: adapter.scale, tokens: tokens,
            inputs: pair.inputs, outputs: pair.outputs, rank: adapter.rank, xa: inner, y: y)
        pair.magnitude?.apply(to: y, tokens: tokens)
    }

    /// The input of a projection's adapter: `x` `[tokens, width]` after dropout.
    @inline(__always)
    func dropped(
        _ x: UnsafePointer<Float>, _ projection: Projection, layer: Int, width: Int
    ) -> UnsafePointer<Float> {
        guard let dropout else { return x }
        let out = memory.reserveDropout().inputs.pointer
        dropout.apply(
            x, layer: layer, projection: projection, tokens: tokens, width: width, out: out)
        return UnsafePointer(out)
    }

    /// The place of `x·a` for a projection other than `down`.
    @inline(__always)
    func inner(
        _ projection: Projection, _ activations: BlockActivations
    ) -> UnsafeMutablePointer<Float> {
        activations.inner.pointer + Self.innerSlot(projection) * tokens * adapter.rank
    }

    private static func innerSlot(_ projection: Projection) -> Int {
        switch projection {
        case .q: 0
        case .k: 1
        case .v: 2
        case .o: 3
        case .gate: 4
        case .up, .down: 5
        }
    }

    var attentionShape: AttentionShape {
        AttentionShape(
            tokens: tokens, past: 0, heads: shape.heads, kvHeads: shape.kvHeads,
            headDim: shape.headDim, capacity: memory.tokens)
    }
}
