import CircadiaKernels

extension LlamaLayer {
    /// `x += o · attention(rope(q), rope(k), v)` with `q, k, v` of `rmsNorm(x)`.
    ///
    /// All tokens of the chunk are written to the cache; queries are made only for those from
    /// `first` on (the last block skips tokens whose output nobody reads).
    func attend(_ pass: ForwardPass, from first: Int) {
        let scratch = pass.scratch
        let tokens = pass.tokens
        let hidden = pass.hidden
        let normed = scratch.normed.pointer

        Kernels.rmsNorm(
            x: scratch.x.pointer, weight: inputNorm.pointer, tokens: tokens, width: hidden,
            epsilon: pass.epsilon, y: normed)
        if first == 0 {
            Kernels.matmul(
                pass.precision, x: normed, tokens: tokens, weights: queryKeyValue,
                finer: Self.keyValueOfThree, outputs: scratch.queryKeyValue,
                workspace: pass.workspace)
        } else {
            Kernels.matmul(
                pass.precision, x: normed, tokens: tokens, weights: keyValue,
                finer: Self.keyValueOfTwo, outputs: scratch.keyValue, workspace: pass.workspace)
        }
        pass.adapt(.k, layer: index, x: normed, tokens: tokens, y: scratch.k.pointer)
        pass.adapt(.v, layer: index, x: normed, tokens: tokens, y: scratch.v.pointer)
        Kernels.rope(
            scratch.k.pointer, positions: scratch.positions.pointer,
            frequencies: pass.ropeFrequencies.pointer, tokens: tokens, heads: pass.kvHeads,
            headDim: pass.headDim)
        var shape = AttentionShape(
            tokens: tokens, past: pass.past, heads: pass.heads, kvHeads: pass.kvHeads,
            headDim: pass.headDim, capacity: pass.cache.rows)
        let cache = pass.cache.layers[index]
        Kernels.append(
            keys: scratch.k.pointer, values: scratch.v.pointer, to: cache, shape: shape)

        let queries = tokens - first
        guard queries > 0 else { return }
        let selected = normed + first * hidden
        if first > 0 {
            Kernels.matmul(
                pass.precision, x: selected, tokens: queries, weights: queryOnly,
                outputs: [scratch.q.pointer], workspace: pass.workspace)
        }
        pass.adapt(.q, layer: index, x: selected, tokens: queries, y: scratch.q.pointer)
        Kernels.rope(
            scratch.q.pointer, positions: scratch.positions.pointer + first,
            frequencies: pass.ropeFrequencies.pointer, tokens: queries, heads: pass.heads,
            headDim: pass.headDim)
        shape.tokens = queries
        shape.past = pass.past + first
        Kernels.attention(
            shape, q: scratch.q.pointer, cache: cache, out: scratch.attended.pointer,
            workspace: pass.workspace)
        pass.addProjection(
            .o, layer: index, x: scratch.attended.pointer, tokens: queries, weights: outputOnly,
            to: first == 0 ? scratch.residual : [scratch.x.pointer + first * hidden])
    }
}
