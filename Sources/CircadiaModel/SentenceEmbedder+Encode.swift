import CircadiaKernels

/// Activations of one batch of packed texts.
final class EmbedderScratch {
    /// Tokens that fit.
    let tokens: Int
    /// `[tokens, hidden]` each.
    let hidden, q, k, v, attended: FloatBuffer
    /// `[tokens, intermediate]`.
    let inner: FloatBuffer
    /// Keys and values of the layer that is computed.
    let cache: AttentionCache
    /// The range of keys that each token sees: `[tokens]` each.
    let firstKey, endKey: AlignedBuffer<Int32>

    init(configuration: EmbedderConfiguration, tokens: Int) {
        self.tokens = tokens
        let width = tokens * configuration.hiddenSize
        hidden = FloatBuffer(count: width)
        q = FloatBuffer(count: width)
        k = FloatBuffer(count: width)
        v = FloatBuffer(count: width)
        attended = FloatBuffer(count: width)
        inner = FloatBuffer(count: tokens * configuration.intermediateSize)
        cache = AttentionCache(
            kvHeads: configuration.headCount, capacity: tokens, headDim: configuration.headDim,
            format: .f32)
        firstKey = AlignedBuffer(count: tokens)
        endKey = AlignedBuffer(count: tokens)
    }
}

extension SentenceEmbedder {
    /// Runs the encoder over texts that lie one after the other; `scratch.hidden` `[total, hidden]`
    /// holds its output.
    func encode(
        _ texts: [[Int32]], total: Int, scratch: EmbedderScratch, layers: [EmbedderLayer],
        precision: Precision
    ) {
        embedTokens(texts, scratch: scratch)
        // A question is so short that starting threads for each kernel would cost as much as it.
        KernelRuntime.withTeam {
            for layer in layers {
                self.attend(layer, precision, tokens: total, scratch: scratch)
                self.feedForward(layer, precision, tokens: total, scratch: scratch)
            }
        }
    }

    /// `hidden = norm(word + position + type 0)`, and each token's range of keys.
    private func embedTokens(_ texts: [[Int32]], scratch: EmbedderScratch) {
        let width = configuration.hiddenSize
        var row = 0
        for text in texts {
            let first = Int32(row)
            for (position, id) in text.enumerated() {
                precondition(
                    id >= 0 && id < configuration.vocabularySize && position < maxTokens,
                    "a token outside the embedder's vocabulary, or a text too long")
                let word = words.pointer + Int(id) * width
                let place = positions.pointer + position * width
                let out = scratch.hidden.pointer + row * width
                for index in 0..<width { out[index] = word[index] + place[index] + types[index] }
                scratch.firstKey[row] = first
                scratch.endKey[row] = first + Int32(text.count)
                row += 1
            }
        }
        normalize(scratch.hidden, embeddingNorm, tokens: row)
    }

    /// `hidden = norm(hidden + output(attention(hidden)))`: every token sees its whole text.
    private func attend(
        _ layer: EmbedderLayer, _ precision: Precision, tokens: Int, scratch: EmbedderScratch
    ) {
        let width = configuration.hiddenSize
        Kernels.matmul(
            precision.afterNorm, x: scratch.hidden.pointer, tokens: tokens,
            weights: layer.queryKeyValue,
            outputs: [scratch.q.pointer, scratch.k.pointer, scratch.v.pointer],
            workspace: workspace)
        for (buffer, bias) in [
            (scratch.q, layer.queryBias), (scratch.k, layer.keyBias), (scratch.v, layer.valueBias),
        ] {
            Kernels.addBias(buffer.pointer, bias: bias.pointer, tokens: tokens, width: width)
        }
        let shape = AttentionShape(
            tokens: tokens, past: 0, heads: configuration.headCount,
            kvHeads: configuration.headCount, headDim: configuration.headDim,
            capacity: scratch.tokens)
        Kernels.append(
            keys: scratch.k.pointer, values: scratch.v.pointer, to: scratch.cache, shape: shape)
        Kernels.attention(
            shape, q: scratch.q.pointer, cache: scratch.cache,
            firstKey: scratch.firstKey.pointer, endKey: scratch.endKey.pointer,
            out: scratch.attended.pointer, workspace: workspace)
        addDense(
            layer.attentionOutput, precision, of: scratch.attended, tokens: tokens, scratch: scratch
        )
        normalize(scratch.hidden, layer.attentionNorm, tokens: tokens)
    }

    /// `hidden = norm(hidden + output(gelu(intermediate(hidden))))`.
    private func feedForward(
        _ layer: EmbedderLayer, _ precision: Precision, tokens: Int, scratch: EmbedderScratch
    ) {
        let inner = configuration.intermediateSize
        Kernels.matmul(
            precision.afterNorm, x: scratch.hidden.pointer, tokens: tokens,
            weights: layer.intermediate.weight,
            outputs: [scratch.inner.pointer], workspace: workspace)
        Kernels.addBias(
            scratch.inner.pointer, bias: layer.intermediate.bias.pointer, tokens: tokens,
            width: inner)
        Kernels.gelu(
            x: scratch.inner.pointer, count: tokens * inner, out: scratch.inner.pointer)
        addDense(layer.output, precision, of: scratch.inner, tokens: tokens, scratch: scratch)
        normalize(scratch.hidden, layer.outputNorm, tokens: tokens)
    }

    /// `hidden += x · weightᵀ + bias`.
    private func addDense(
        _ dense: DenseLayer, _ precision: Precision, of x: FloatBuffer, tokens: Int,
        scratch: EmbedderScratch
    ) {
        let hidden = scratch.hidden.pointer
        Kernels.matmul(
            precision, x: x.pointer, tokens: tokens, weights: dense.weight, outputs: [hidden],
            accumulate: true, workspace: workspace)
        Kernels.addBias(
            hidden, bias: dense.bias.pointer, tokens: tokens, width: configuration.hiddenSize)
    }

    private func normalize(_ x: FloatBuffer, _ norm: NormLayer, tokens: Int) {
        Kernels.layerNorm(
            x: x.pointer, weight: norm.weight.pointer, bias: norm.bias.pointer, tokens: tokens,
            width: configuration.hiddenSize, epsilon: configuration.layerNormEpsilon, y: x.pointer)
    }
}

extension Precision {
    /// Of products whose input is a LayerNorm's: a few of its numbers are far larger than the rest, which
    /// one 8-bit digit would hardly tell apart. The other products' inputs lose little by it.
    fileprivate var afterNorm: Precision { self == .int8 ? .int8x2 : self }
}
