import CircadiaKernels

extension LlamaLayer {
    /// `x += down · (silu(gate · h) * (up · h))` with `h = rmsNorm(x)`, for the tokens from `first`.
    func feedForward(_ pass: ForwardPass, from first: Int) {
        let scratch = pass.scratch
        let tokens = pass.tokens - first
        guard tokens > 0 else { return }
        let residual = scratch.x.pointer + first * pass.hidden
        let normed = scratch.normed.pointer

        Kernels.rmsNorm(
            x: residual, weight: postAttentionNorm.pointer, tokens: tokens,
            width: pass.hidden, epsilon: pass.epsilon, y: normed)
        Kernels.matmul(
            pass.precision, x: normed, tokens: tokens, weights: gateUp, outputs: scratch.gateUp,
            workspace: pass.workspace)
        pass.adapt(.gate, layer: index, x: normed, tokens: tokens, y: scratch.gate.pointer)
        pass.adapt(.up, layer: index, x: normed, tokens: tokens, y: scratch.up.pointer)
        Kernels.swiGLU(
            gate: scratch.gate.pointer, up: scratch.up.pointer,
            tokens: tokens, width: pass.intermediate, out: scratch.gate.pointer)
        pass.addProjection(
            .down, layer: index, x: scratch.gate.pointer, tokens: tokens, weights: downOnly,
            to: first == 0 ? scratch.residual : [residual])
    }
}
