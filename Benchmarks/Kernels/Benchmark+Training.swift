import CircadiaKernels

/// The kernels of a training step other than its products.
extension Benchmark {
    /// Losses and gradients. The gradients replace the logits, which count as read and written
    /// once.
    static func crossEntropy(_ model: ModelShape, tokens: Int) -> Benchmark {
        let logits = FloatBuffer(count: tokens * model.vocabulary)
        let targets = AlignedBuffer<Int32>((0..<tokens).map(Int32.init))
        let losses = FloatBuffer(count: tokens)
        return Benchmark(
            kernel: "cross_entropy",
            shape: "\(model.name), with gradient, \(tokens) × \(model.vocabulary)",
            work: .bytes(2 * logits.byteCount), limit: nil
        ) { _ in
            Kernels.crossEntropy(
                logits: logits.pointer, targets: targets.pointer, tokens: tokens,
                vocabulary: model.vocabulary, rowScale: 1, losses: losses.pointer,
                gradient: logits.pointer)
        }
    }

    /// The forward product of a query projection's adapter. It is too narrow to reach the peak.
    static func lora(_ model: ModelShape, tokens: Int, rank: Int) -> Benchmark {
        let width = model.hidden
        let x = FloatBuffer([Float](repeating: 0.5, count: tokens * width))
        let a = FloatBuffer([Float](repeating: 0.01, count: width * rank))
        let b = FloatBuffer(count: rank * width)
        let (xa, y) = (FloatBuffer(count: tokens * rank), FloatBuffer(count: x.count))
        return Benchmark(
            kernel: "lora", shape: "\(model.name), \(tokens) × \(width) → \(rank) → \(width)",
            work: .flops(2 * tokens * rank * 2 * width),
            limit: .arithmetic(kernel: "matmul_f32")
        ) { _ in
            Kernels.lora(
                x: x.pointer, a: a.pointer, b: b.pointer, scale: 20, tokens: tokens,
                inputs: width, outputs: width, rank: rank, xa: xa.pointer, y: y.pointer)
        }
    }

    /// Adam reads four arrays and writes three of them.
    static func adam(count: Int) -> Benchmark {
        let gradient = FloatBuffer([Float](repeating: 0.5, count: count))
        let (parameter, m) = (FloatBuffer(count: count), FloatBuffer(count: count))
        let v = FloatBuffer(count: count)
        let step = Kernels.AdamStep(learningRate: 1e-5, step: 10)
        return Benchmark(
            kernel: "adam", shape: "\(count) parameters", work: .bytes(7 * gradient.byteCount),
            limit: nil
        ) { _ in
            Kernels.adam(
                step, gradient: gradient.pointer, count: count, parameter: parameter.pointer,
                m: m.pointer, v: v.pointer)
        }
    }
}
