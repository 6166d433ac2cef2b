import CircadiaKernels
import CircadiaModel

extension TrainingPass {
    /// Carries `memory.gradient` from the output of adapted block `index` to its input and adds the
    /// block's adapter gradients. The first adapted block's input needs no gradient.
    ///
    /// The block's `gate` and `up` are overwritten.
    func backward(_ layer: LlamaLayer, index: Int) {
        let input = memory.streams[index].pointer
        let activations: BlockActivations
        if let kept = memory.kept[index] {
            activations = kept
        } else {
            activations = memory.shared
            forward(
                layer, input: input, middle: activations.middle.pointer, output: nil,
                activations: activations, innerDown: nil)
        }
        backwardMLP(layer, activations, innerDown: memory.innerDown[index].pointer)
        backwardAttention(layer, activations, input: input, isFirst: index == 0)
    }

    private func backwardMLP(
        _ layer: LlamaLayer, _ activations: BlockActivations,
        innerDown: UnsafeMutablePointer<Float>
    ) {
        let gradient = memory.gradient.pointer
        let activated = memory.activated.pointer
        let activatedGradient = memory.activatedGradient
        let normed = memory.normed.pointer
        let normedGradient = memory.normedGradient.pointer
        let gate = activations.gate.pointer
        let up = activations.up.pointer

        Kernels.swiGLU(
            gate: gate, up: up, tokens: tokens, width: shape.intermediate, out: activated)
        let downGradient = beforeGains(
            .down, of: layer, x: activated, inner: innerDown, dy: gradient, inPlace: false)
        transposed(layer.down, dy: downGradient, dx: activatedGradient)
        adaptBackward(
            .down, layer: layer.index, x: activated, inner: innerDown, dy: downGradient,
            dx: activatedGradient)
        Kernels.swiGLUBackward(
            gate: gate, up: up, dout: activatedGradient, count: tokens * shape.intermediate,
            dgate: gate, dup: up)
        Kernels.rmsNorm(
            x: activations.middle.pointer, weight: layer.postAttentionNorm.pointer, tokens: tokens,
            width: shape.hidden, epsilon: shape.epsilon, y: normed, rstd: memory.rstd.pointer)
        for (projection, dy) in [(Projection.gate, gate), (.up, up)] {
            beforeGains(
                projection, of: layer, x: normed, inner: inner(projection, activations), dy: dy)
        }
        transposed(layer.gate, dy: gate, dx: normedGradient)
        transposed(layer.up, dy: up, dx: normedGradient, accumulate: true)
        adaptBackward(
            .gate, layer: layer.index, x: normed, inner: inner(.gate, activations), dy: gate,
            dx: normedGradient)
        adaptBackward(
            .up, layer: layer.index, x: normed, inner: inner(.up, activations), dy: up,
            dx: normedGradient)
        Kernels.rmsNormBackward(
            x: activations.middle.pointer, weight: layer.postAttentionNorm.pointer,
            rstd: memory.rstd.pointer, dy: normedGradient, tokens: tokens, width: shape.hidden,
            dx: gradient)
    }

    private func backwardAttention(
        _ layer: LlamaLayer, _ activations: BlockActivations, input: UnsafePointer<Float>,
        isFirst: Bool
    ) {
        let gradient = memory.gradient.pointer
        let normed = memory.normed.pointer
        let normedGradient = isFirst ? nil : memory.normedGradient.pointer
        let dq = memory.qGradient
        let dk = memory.kGradient
        let dv = memory.vGradient

        let outputGradient = beforeGains(
            .o, of: layer, x: activations.attended.pointer, inner: inner(.o, activations),
            dy: gradient, inPlace: false)
        transposed(layer.o, dy: outputGradient, dx: memory.attendedGradient)
        adaptBackward(
            .o, layer: layer.index, x: activations.attended.pointer,
            inner: inner(.o, activations), dy: outputGradient,
            dx: memory.attendedGradient)
        attentionBackward(activations, dout: memory.attendedGradient)
        turn(dq, heads: shape.heads, inverse: true)
        turn(dk, heads: shape.kvHeads, inverse: true)
        Kernels.rmsNorm(
            x: input, weight: layer.inputNorm.pointer, tokens: tokens, width: shape.hidden,
            epsilon: shape.epsilon, y: normed, rstd: memory.rstd.pointer)
        for (projection, dy) in [(Projection.q, dq), (.k, dk), (.v, dv)] {
            beforeGains(
                projection, of: layer, x: normed, inner: inner(projection, activations), dy: dy)
        }
        if let normedGradient {
            transposed(layer.q, dy: dq, dx: normedGradient)
            transposed(layer.k, dy: dk, dx: normedGradient, accumulate: true)
            transposed(layer.v, dy: dv, dx: normedGradient, accumulate: true)
        }
        adaptBackward(
            .q, layer: layer.index, x: normed, inner: inner(.q, activations), dy: dq,
            dx: normedGradient)
        adaptBackward(
            .k, layer: layer.index, x: normed, inner: inner(.k, activations), dy: dk,
            dx: normedGradient)
        adaptBackward(
            .v, layer: layer.index, x: normed, inner: inner(.v, activations), dy: dv,
            dx: normedGradient)
        guard let normedGradient else { return }
        Kernels.rmsNormBackward(
            x: input, weight: layer.inputNorm.pointer, rstd: memory.rstd.pointer,
            dy: normedGradient, tokens: tokens, width: shape.hidden, dx: gradient)
    }

    private func transposed(
        _ weight: WeightMatrix, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        accumulate: Bool = false
    ) {
        Kernels.matmulTransposed(
            precision.backward, dy: dy, tokens: tokens, weight: weight, dx: dx,
            accumulate: accumulate, workspace: workspace)
    }

    private func adaptBackward(
        _ projection: Projection, layer: Int, x: UnsafePointer<Float>,
        inner: UnsafePointer<Float>, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>?
    ) {
        guard let pair = adapter[layer, projection],
            let sums = state.gradients(layer, projection)
        else { return }
        // With dropout, the gradient passes through the mask before it reaches the input, so it
        // goes to a buffer of its own first.
        let ahead = dropout.map { _ in memory.reserveDropout().gradient.pointer }
        let count = tokens * pair.inputs
        if dx != nil { ahead?.update(repeating: 0, count: count) }
        Kernels.loraBackward(
            x: dropped(x, projection, layer: layer, width: pair.inputs), xa: inner,
            a: pair.a.pointer, b: pair.b.pointer, dy: dy, scale: adapter.scale, tokens: tokens,
            inputs: pair.inputs, outputs: pair.outputs, rank: adapter.rank, da: sums.a,
            db: sums.b, dx: dx == nil ? nil : ahead ?? dx, workspace: workspace)
        if let dropout, let ahead, let dx {
            dropout.addBackward(
                ahead, layer: layer, projection: projection, tokens: tokens, width: pair.inputs,
                sum: dx)
        }
    }
}
