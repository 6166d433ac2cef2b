import CircadiaKernels

extension Benchmark {
    /// A product with the packed weights of one projection.
    ///
    /// With one row the limit is reading the weights, with many rows it is arithmetic.
    static func matmul(
        _ precision: Precision, _ model: ModelShape, _ projection: ModelShape.Projection,
        tokens: Int, _ memory: Memory
    ) -> Benchmark? {
        let copies = memory.weights(projection)
        guard let first = copies.first else { return nil }
        let kernel = kernelName("matmul", precision)
        let x = FloatBuffer([Float](repeating: 0.5, count: tokens * projection.columns))
        let y = (0..<projection.count).map { _ in FloatBuffer(count: tokens * projection.rows) }
        let workspace = Workspace()
        let operations = tokens * projection.operations
        let work: Work =
            if tokens == 1 {
                .bytes(first.reduce(0) { $0 + $1.packedBytes.count })
            } else {
                precision == .int8 ? .integerOperations(operations) : .flops(operations)
            }
        return Benchmark(
            kernel: kernel, shape: shape(model, projection, tokens), work: work,
            limit: tokens == 1 ? .bandwidth : .arithmetic(kernel: kernel)
        ) { index in
            Kernels.matmul(
                precision, x: x.pointer, tokens: tokens, weights: copies[index % copies.count],
                outputs: y.map(\.pointer), workspace: workspace)
        }
    }

    /// The backward product of one matrix of a projection.
    static func matmulTransposed(
        _ precision: Precision, _ model: ModelShape, _ projection: ModelShape.Projection,
        tokens: Int, _ memory: Memory
    ) -> Benchmark? {
        let copies = memory.weights(projection)
        guard !copies.isEmpty else { return nil }
        let dy = FloatBuffer([Float](repeating: 0.5, count: tokens * projection.rows))
        let dx = FloatBuffer(count: tokens * projection.columns)
        let workspace = Workspace()
        return Benchmark(
            kernel: kernelName("matmul_transposed", precision),
            shape: shape(model, projection, tokens),
            work: .flops(tokens * projection.operations),
            limit: .arithmetic(kernel: kernelName("matmul", precision))
        ) { index in
            for weight in copies[index % copies.count] {
                Kernels.matmulTransposed(
                    precision, dy: dy.pointer, tokens: tokens, weight: weight, dx: dx.pointer,
                    accumulate: true, workspace: workspace)
            }
        }
    }

    /// The same product of dense f32 weights by BLAS, forward (x · wᵀ) or backward (dy · w). A
    /// program without its own kernels would use it. It has nothing to unpack.
    static func sgemm(
        _ blas: BLAS, _ model: ModelShape, _ projection: ModelShape.Projection, tokens: Int,
        isTransposed: Bool
    ) -> Benchmark {
        let (inner, outer) =
            isTransposed
            ? (projection.rows, projection.columns) : (projection.columns, projection.rows)
        let x = FloatBuffer([Float](repeating: 0.5, count: tokens * inner))
        let w = FloatBuffer([Float](repeating: 0.5, count: inner * outer))
        let y = FloatBuffer(count: tokens * outer)
        return Benchmark(
            kernel: isTransposed ? "sgemm_transposed" : "sgemm", peer: blas.name,
            shape: shape(model, projection, tokens),
            work: .flops(tokens * projection.operations),
            limit: .arithmetic(kernel: "matmul_f32")
        ) { _ in
            for _ in 0..<projection.count {
                blas.multiply(
                    x.pointer, w.pointer, into: y.pointer, rows: tokens, inner: inner,
                    columns: outer, isRightTransposed: !isTransposed)
            }
        }
    }

    private static func kernelName(_ product: String, _ precision: Precision) -> String {
        switch precision {
        case .exact: product + "_f32"
        case .int8, .int8x2: product + "_int8"
        case .bf16: product + "_bf16"
        }
    }

    private static func shape(
        _ model: ModelShape, _ projection: ModelShape.Projection, _ tokens: Int
    ) -> String {
        let matrices = projection.count == 1 ? "" : "\(projection.count) × "
        return "\(model.name) \(projection.name), \(tokens) × \(projection.columns) → "
            + "\(matrices)\(projection.rows)"
    }
}
