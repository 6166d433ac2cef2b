import CircadiaKernels

extension Benchmark {
    /// One token over `depth` cached ones in one block. The limit is reading keys and values.
    static func attentionDecode(_ model: ModelShape, depth: Int, _ memory: Memory) -> Benchmark? {
        let shape = AttentionShape(
            tokens: 1, past: depth, heads: model.heads, kvHeads: model.kvHeads,
            headDim: model.headDim, capacity: depth + 1)
        // Elements of one byte and their steps: one step for every 16 elements of a key, one for a
        // value.
        let bytes = model.kvHeads * (depth + 1) * (2 * model.headDim + model.headDim / 4 + 4)
        return attention(
            shape, name: "\(model.name) decode at depth \(depth)", work: .bytes(bytes),
            limit: .bandwidth, memory)
    }

    /// A prompt of `tokens` in one block: two products with as many keys as each token sees.
    static func attentionPrefill(_ model: ModelShape, tokens: Int, _ memory: Memory) -> Benchmark? {
        let shape = AttentionShape(
            tokens: tokens, past: 0, heads: model.heads, kvHeads: model.kvHeads,
            headDim: model.headDim, capacity: tokens)
        let flops = 2 * 2 * model.heads * model.headDim * tokens * (tokens + 1) / 2
        return attention(
            shape, name: "\(model.name) prefill \(tokens)", work: .flops(flops),
            limit: .arithmetic(kernel: "matmul_f32"), memory)
    }

    private static func attention(
        _ shape: AttentionShape, name: String, work: Work, limit: Limits.Limit, _ memory: Memory
    ) -> Benchmark? {
        let caches = memory.caches(shape)
        guard !caches.isEmpty else { return nil }
        let q = FloatBuffer(
            [Float](repeating: 0.01, count: shape.tokens * shape.heads * shape.headDim))
        let out = FloatBuffer(count: q.count)
        let workspace = Workspace()
        return Benchmark(
            kernel: "attention", shape: name, work: work, limit: limit
        ) { index in
            Kernels.attention(
                shape, q: q.pointer, cache: caches[index % caches.count], out: out.pointer,
                workspace: workspace)
        }
    }

    /// A search over the embedder's vectors, as many as years of chats give.
    static func vectorSearch(count: Int, width: Int) -> Benchmark {
        let vectors = FloatBuffer(uninitializedCount: count * width)
        vectors.pointer.update(repeating: 0.05, count: vectors.count)
        let query = FloatBuffer([Float](repeating: 0.05, count: width))
        let scores = FloatBuffer(count: count)
        return Benchmark(
            kernel: "dot_rows", shape: "vector search, \(count) × \(width)",
            work: .bytes(vectors.byteCount), limit: .bandwidth
        ) { _ in
            Kernels.dotRows(
                vectors: vectors.pointer, query: query.pointer, count: count, width: width,
                scores: scores.pointer)
        }
    }
}
