import CircadiaKernels
import CircadiaModel

extension TrainingPass {
    /// Carries the gradient of a projection's output back through DoRA's gains and adds the
    /// gradient of its magnitudes. For LoRA it does nothing.
    ///
    /// With u = W x + scale·(x A) B and y = (m / n) u: dm = Σ dy·u / n, du = dy·m / n; n counts as
    /// a constant (Liu et al. 2024). u is computed again, because storing it would need as much
    /// memory as all other activations.
    ///
    /// Operands:
    /// - `x`: `[tokens, inputs]`, the projection's input; the adapter's part applies the same
    ///   dropout mask again.
    /// - `inner`: `[tokens, rank]`, `x·a`; overwritten with the same values.
    /// - `dy`: `[tokens, outputs]`.
    ///
    /// - Returns: du. It is in `dy` if `inPlace` or if there is nothing to do, else in
    ///   `memory.product`.
    @discardableResult
    func beforeGains(
        _ projection: Projection, of layer: LlamaLayer, x: UnsafePointer<Float>,
        inner: UnsafeMutablePointer<Float>, dy: UnsafeMutablePointer<Float>, inPlace: Bool = true
    ) -> UnsafeMutablePointer<Float> {
        guard let pair = adapter[layer.index, projection], let magnitude = pair.magnitude,
            let sums = state.gradients(layer.index, projection)
        else { return dy }
        let product = memory.product.pointer
        Kernels.matmul(
            precision.forward, x: x, tokens: tokens, weights: [layer.weight(projection)],
            outputs: memory.products, workspace: workspace)
        Kernels.lora(
            x: dropped(x, projection, layer: layer.index, width: pair.inputs), a: pair.a.pointer,
            b: pair.b.pointer, scale: adapter.scale, tokens: tokens, inputs: pair.inputs,
            outputs: pair.outputs, rank: adapter.rank, xa: inner, y: product)
        addMagnitudeGradient(magnitude, u: product, dy: dy, to: sums.magnitude)
        if !inPlace { product.update(from: dy, count: tokens * pair.outputs) }
        let target = inPlace ? dy : product
        magnitude.apply(to: target, tokens: tokens)
        return target
    }

    /// `dm[o] += Σ_t dy[t, o] · u[t, o] / n[o]`, summed in double in the order of the tokens.
    private func addMagnitudeGradient(
        _ magnitude: DoRAMagnitude, u: UnsafePointer<Float>, dy: UnsafePointer<Float>,
        to gradient: UnsafeMutablePointer<Float>
    ) {
        let outputs = magnitude.norms.count
        withUnsafeTemporaryAllocation(of: Double.self, capacity: outputs) { sums in
            sums.initialize(repeating: 0)
            for token in 0..<tokens {
                let (left, right) = (dy + token * outputs, u + token * outputs)
                for output in 0..<outputs {
                    sums[output] += Double(left[output]) * Double(right[output])
                }
            }
            for output in 0..<outputs where magnitude.norms.pointer[output] > 0 {
                gradient[output] += Float(sums[output] / Double(magnitude.norms.pointer[output]))
            }
        }
    }
}
