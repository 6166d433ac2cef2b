import CircadiaFormats
import CircadiaKernels

/// Reads a BERT checkpoint's tensors, checking their shapes.
struct EmbedderReader {
    let file: SafetensorsFile
    let path: String
    let hidden: Int

    func matrix(_ name: String, rows: Int, columns: Int? = nil) throws(FormatError) -> WeightMatrix {
        let columns = columns ?? hidden
        let values = try floats(name, count: rows * columns)
        return values.withUnsafeBytes {
            WeightMatrix(dense: $0, format: .f32, rows: rows, columns: columns)
        }
    }

    func vector(_ name: String, count: Int? = nil) throws(FormatError) -> FloatBuffer {
        FloatBuffer(try floats(name, count: count ?? hidden))
    }

    func norm(_ prefix: String) throws(FormatError) -> LayerNormWeights {
        LayerNormWeights(
            weight: try vector("\(prefix).weight"), bias: try vector("\(prefix).bias"))
    }

    private func floats(_ name: String, count: Int) throws(FormatError) -> [Float] {
        let values = try file.floats(of: name)
        guard values.count == count else {
            throw .tensor(
                path: path, name: name,
                problem: .wrongShape(expected: [count], found: [values.count]))
        }
        return values
    }
}

/// Scale and shift of a LayerNorm, `[hidden]` each.
struct LayerNormWeights {
    let weight, bias: FloatBuffer

    func apply(to x: FloatBuffer, tokens: Int, epsilon: Float) {
        Kernels.layerNorm(
            x: x.pointer, weight: weight.pointer, bias: bias.pointer, tokens: tokens,
            width: weight.count, epsilon: epsilon, y: x.pointer)
    }
}

/// A linear map with a bias.
struct DenseLayer {
    let matrix: WeightMatrix
    let bias: FloatBuffer

    init(_ reader: EmbedderReader, _ prefix: String, rows: Int, columns: Int) throws(FormatError) {
        matrix = try reader.matrix("\(prefix).weight", rows: rows, columns: columns)
        bias = try reader.vector("\(prefix).bias", count: rows)
    }
}

/// One BERT block: attention and MLP, each followed by a residual sum and a LayerNorm.
struct EmbedderLayer {
    let q, k, v, attentionOutput, up, down: DenseLayer
    let attentionNorm, outputNorm: LayerNormWeights

    init(_ reader: EmbedderReader, prefix: String, inner: Int) throws(FormatError) {
        let hidden = reader.hidden
        let attention = "\(prefix).attention"
        q = try DenseLayer(reader, "\(attention).self.query", rows: hidden, columns: hidden)
        k = try DenseLayer(reader, "\(attention).self.key", rows: hidden, columns: hidden)
        v = try DenseLayer(reader, "\(attention).self.value", rows: hidden, columns: hidden)
        attentionOutput = try DenseLayer(
            reader, "\(attention).output.dense", rows: hidden, columns: hidden)
        attentionNorm = try reader.norm("\(attention).output.LayerNorm")
        up = try DenseLayer(reader, "\(prefix).intermediate.dense", rows: inner, columns: hidden)
        down = try DenseLayer(reader, "\(prefix).output.dense", rows: hidden, columns: inner)
        outputNorm = try reader.norm("\(prefix).output.LayerNorm")
    }

    /// `x` `[tokens, hidden]`, in place.
    func forward(
        _ x: FloatBuffer, tokens: Int, shape: AttentionShape, firstKey: [Int32], endKey: [Int32],
        epsilon: Float, workspace: Workspace
    ) {
        let hidden = q.matrix.rows
        let (queries, keys, values, mixed) = (
            FloatBuffer(count: x.count), FloatBuffer(count: x.count), FloatBuffer(count: x.count),
            FloatBuffer(count: x.count)
        )
        Kernels.matmul(
            .exact, x: x.pointer, tokens: tokens, weights: [q.matrix, k.matrix, v.matrix],
            outputs: [queries.pointer, keys.pointer, values.pointer], workspace: workspace)
        for (buffer, layer) in [(queries, q), (keys, k), (values, v)] {
            Kernels.addBias(
                buffer.pointer, bias: layer.bias.pointer, tokens: tokens, width: hidden)
        }
        let caches = (0..<2).map { _ in
            AttentionCache(
                kvHeads: shape.kvHeads, capacity: tokens, headDim: shape.headDim, format: .f32)
        }
        Kernels.append(keys.pointer, to: caches[0], shape: shape)
        Kernels.append(values.pointer, to: caches[1], shape: shape)
        Kernels.attention(
            shape, q: queries.pointer, keys: caches[0], values: caches[1], firstKey: firstKey,
            endKey: endKey, out: mixed.pointer, workspace: workspace)
        add(attentionOutput, of: mixed, to: x, tokens: tokens, workspace: workspace)
        attentionNorm.apply(to: x, tokens: tokens, epsilon: epsilon)

        let inner = FloatBuffer(count: tokens * up.matrix.rows)
        Kernels.matmul(
            .exact, x: x.pointer, tokens: tokens, weights: [up.matrix], outputs: [inner.pointer],
            workspace: workspace)
        Kernels.addBias(
            inner.pointer, bias: up.bias.pointer, tokens: tokens, width: up.matrix.rows)
        Kernels.gelu(x: inner.pointer, count: inner.count, out: inner.pointer)
        add(down, of: inner, to: x, tokens: tokens, workspace: workspace)
        outputNorm.apply(to: x, tokens: tokens, epsilon: epsilon)
    }

    /// `x += layer(input)`.
    private func add(
        _ layer: DenseLayer, of input: FloatBuffer, to x: FloatBuffer, tokens: Int,
        workspace: Workspace
    ) {
        Kernels.matmul(
            .exact, x: input.pointer, tokens: tokens, weights: [layer.matrix],
            outputs: [x.pointer], accumulate: true, workspace: workspace)
        Kernels.addBias(
            x.pointer, bias: layer.bias.pointer, tokens: tokens, width: layer.matrix.rows)
    }
}
