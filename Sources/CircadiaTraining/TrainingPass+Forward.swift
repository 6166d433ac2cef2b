import CircadiaKernels
import CircadiaModel

extension TrainingPass {
    /// Computes one block: `middle = input + attention`, `output = middle + MLP`.
    ///
    /// - Parameters:
    ///   - layer: the block.
    ///   - input: `[tokens, hidden]`.
    ///   - middle: `[tokens, hidden]`; may alias `input`, which is then overwritten.
    ///   - output: `[tokens, hidden]`; may alias `middle`, which is then overwritten. Nil computes
    ///     the activations only.
    ///   - activations: overwritten.
    ///   - innerDown: receives `x·a` of `down` if the block is adapted and has an output.
    func forward(
        _ layer: LlamaLayer, input: UnsafeMutablePointer<Float>,
        middle: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>?,
        activations: BlockActivations, innerDown: UnsafeMutablePointer<Float>?
    ) {
        if middle != input { middle.update(from: input, count: tokens * shape.hidden) }
        attend(layer, input: input, middle: middle, activations)
        guard let output else {
            gateAndUp(layer, middle: middle, activations)
            return
        }
        if output != middle { output.update(from: middle, count: tokens * shape.hidden) }
        gateAndUp(layer, middle: middle, activations)
        let activated = memory.activated.pointer
        Kernels.swiGLU(
            gate: activations.gate.pointer, up: activations.up.pointer,
            tokens: tokens, width: shape.intermediate, out: activated)
        addProjection(.down, of: layer, x: activated, inner: innerDown, to: output)
    }

    private func attend(
        _ layer: LlamaLayer, input: UnsafePointer<Float>, middle: UnsafeMutablePointer<Float>,
        _ activations: BlockActivations
    ) {
        let normed = memory.normed.pointer
        let q = activations.q.pointer
        let k = activations.k.pointer
        let v = activations.v.pointer
        let attended = activations.attended.pointer
        Kernels.rmsNorm(
            x: input, weight: layer.inputNorm.pointer, tokens: tokens, width: shape.hidden,
            epsilon: shape.epsilon, y: normed)
        Kernels.matmul(
            precision.forward, x: normed, tokens: tokens, weights: [layer.q, layer.k, layer.v],
            outputs: activations.queryKeyValue, workspace: workspace)
        adapt(.q, layer: layer.index, x: normed, inner: inner(.q, activations), y: q)
        adapt(.k, layer: layer.index, x: normed, inner: inner(.k, activations), y: k)
        adapt(.v, layer: layer.index, x: normed, inner: inner(.v, activations), y: v)
        turn(q, heads: shape.heads, inverse: false)
        turn(k, heads: shape.kvHeads, inverse: false)
        Kernels.append(keys: k, values: v, to: memory.cache, shape: attentionShape)
        attention(q: q, out: attended, logSum: activations.logSum.pointer)
        addProjection(.o, of: layer, x: attended, inner: inner(.o, activations), to: middle)
    }

    /// `residual += projection(x)`. Keeps `x·a` in `inner`, which is nil if there is no adapter.
    private func addProjection(
        _ projection: Projection, of layer: LlamaLayer, x: UnsafePointer<Float>,
        inner: UnsafeMutablePointer<Float>?, to residual: UnsafeMutablePointer<Float>
    ) {
        let isScaled =
            !isBase && inner != nil
            && adapter[layer.index, projection]?.magnitude != nil
        Kernels.matmul(
            precision.forward, x: x, tokens: tokens, weights: [layer.weight(projection)],
            outputs: isScaled ? memory.products : [residual], accumulate: !isScaled,
            workspace: workspace)
        if let inner {
            adapt(
                projection, layer: layer.index, x: x, inner: inner,
                y: isScaled ? memory.product.pointer : residual)
        }
        // The gains apply to the projection only, not to the rest of the stream.
        if isScaled {
            Kernels.add(residual, memory.product.pointer, count: tokens * shape.hidden)
        }
    }

    private func gateAndUp(
        _ layer: LlamaLayer, middle: UnsafePointer<Float>, _ activations: BlockActivations
    ) {
        let normed = memory.normed.pointer
        Kernels.rmsNorm(
            x: middle, weight: layer.postAttentionNorm.pointer, tokens: tokens,
            width: shape.hidden, epsilon: shape.epsilon, y: normed)
        Kernels.matmul(
            precision.forward, x: normed, tokens: tokens, weights: [layer.gate, layer.up],
            outputs: activations.gateUp, workspace: workspace)
        adapt(
            .gate, layer: layer.index, x: normed, inner: inner(.gate, activations),
            y: activations.gate.pointer)
        adapt(
            .up, layer: layer.index, x: normed, inner: inner(.up, activations),
            y: activations.up.pointer)
    }

    func turn(_ x: UnsafeMutablePointer<Float>, heads: Int, inverse: Bool) {
        Kernels.rope(
            x, positions: batch.positions.pointer, frequencies: model.ropeFrequencies.pointer,
            tokens: tokens, heads: heads, headDim: shape.headDim, inverse: inverse)
    }
}
