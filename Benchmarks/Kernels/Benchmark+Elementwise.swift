import CircadiaKernels

/// Kernels whose operands stay in a cache between two others, as in a forward pass. No limit in
/// bytes a second can be measured reliably for them, so they have none.
extension Benchmark {
    static func rmsNorm(_ model: ModelShape, tokens: Int) -> Benchmark {
        let x = FloatBuffer([Float](repeating: 0.5, count: tokens * model.hidden))
        let weight = FloatBuffer([Float](repeating: 0.5, count: model.hidden))
        let y = FloatBuffer(count: x.count)
        return Benchmark(
            kernel: "rmsnorm", shape: "\(model.name), \(tokens) × \(model.hidden)",
            work: .bytes(2 * x.byteCount), limit: nil
        ) { _ in
            Kernels.rmsNorm(
                x: x.pointer, weight: weight.pointer, tokens: tokens, width: model.hidden,
                epsilon: 1e-5, y: y.pointer)
        }
    }

    static func rope(_ model: ModelShape, tokens: Int) -> Benchmark {
        let (heads, headDim) = (model.heads, model.headDim)
        let x = FloatBuffer([Float](repeating: 0.5, count: tokens * heads * headDim))
        let positions = AlignedBuffer<Int32>((0..<tokens).map(Int32.init))
        let frequencies = FloatBuffer((0..<headDim / 2).map { 1 / Float(1 + $0) })
        return Benchmark(
            kernel: "rope", shape: "\(model.name), \(tokens) × \(heads) × \(headDim)",
            work: .bytes(2 * x.byteCount), limit: nil
        ) { _ in
            Kernels.rope(
                x.pointer, positions: positions.pointer, frequencies: frequencies.pointer,
                tokens: tokens, heads: heads, headDim: headDim)
        }
    }

    static func swiGLU(_ model: ModelShape, tokens: Int) -> Benchmark {
        let gate = FloatBuffer([Float](repeating: 0.5, count: tokens * model.mlp))
        let up = FloatBuffer([Float](repeating: 0.5, count: gate.count))
        return Benchmark(
            kernel: "swiglu", shape: "\(model.name), \(tokens) × \(model.mlp)",
            work: .bytes(3 * gate.byteCount), limit: nil
        ) { _ in
            Kernels.swiGLU(
                gate: gate.pointer, up: up.pointer, tokens: tokens, width: model.mlp,
                out: gate.pointer)
        }
    }
}
