import CircadiaKernels

/// What the layers need to know about the chunk of tokens that passes through them.
///
/// The model's sizes are copied here as plain numbers: `ModelConfiguration` holds arrays, whose
/// reference counts would be touched by every layer of every token.
struct ForwardPass {
    let precision: Precision
    let hidden, intermediate, heads, kvHeads, headDim: Int
    let epsilon: Float
    let ropeFrequencies: WeightVector
    let adapter: LoRAAdapter?
    let cache: KVCache
    let scratch: ForwardScratch
    let workspace: Workspace
    /// Tokens of the chunk.
    let tokens: Int
    /// Tokens read before.
    let past: Int

    init(model: AdaptedModel, cache: KVCache, tokens: Int) {
        precision = model.precision
        hidden = model.configuration.hiddenSize
        intermediate = model.configuration.intermediateSize
        heads = model.configuration.headCount
        kvHeads = model.configuration.kvHeadCount
        headDim = model.configuration.headDim
        epsilon = model.configuration.rmsNormEpsilon
        ropeFrequencies = model.weights.ropeFrequencies
        adapter = model.adapter
        self.cache = cache
        scratch = model.memory.scratch
        workspace = model.memory.workspace
        self.tokens = tokens
        past = cache.count
    }

    /// Adds an adapter's share to `y`: `y += scale·(x·a)·b`.
    @inline(__always)
    func adapt(
        _ projection: Projection, layer: Int, x: UnsafePointer<Float>, tokens: Int,
        y: UnsafeMutablePointer<Float>
    ) {
        guard let adapter, let pair = adapter[layer, projection] else { return }
        Kernels.lora(
            x: x, a: pair.a.pointer, b: pair.b.pointer, scale: adapter.scale, tokens: tokens,
            inputs: pair.inputs, outputs: pair.outputs, rank: adapter.rank, xa: scratch.xa.pointer,
            y: y)
        pair.magnitude?.apply(to: y, tokens: tokens)
    }

    /// `residual += projection(x)`, the adapter's share included.
    ///
    /// Operands:
    /// - `x`: `[tokens, inputs]`.
    /// - `weights`: the projection's matrix alone.
    /// - `outputs`: `[tokens, hidden]` of the residual stream, alone.
    func addProjection(
        _ projection: Projection, layer: Int, x: UnsafePointer<Float>, tokens: Int,
        weights: [WeightMatrix], to outputs: [UnsafeMutablePointer<Float>]
    ) {
        guard adapter?[layer, projection]?.magnitude != nil else {
            Kernels.matmul(
                precision, x: x, tokens: tokens, weights: weights, outputs: outputs,
                accumulate: true, workspace: workspace)
            adapt(projection, layer: layer, x: x, tokens: tokens, y: outputs[0])
            return
        }
        // Gains multiply the projection only, not what the stream holds already.
        Kernels.matmul(
            precision, x: x, tokens: tokens, weights: weights, outputs: scratch.product,
            workspace: workspace)
        adapt(projection, layer: layer, x: x, tokens: tokens, y: scratch.product[0])
        Kernels.add(outputs[0], scratch.product[0], count: tokens * hidden)
    }
}
