import CircadiaKernels

/// Rows of `W + scale·(A·B)ᵀ`, some at a time: dequantised into cache, never a whole matrix.
struct AdaptedRows {
    private let weight: WeightMatrix
    private let pair: LoRAPair?
    private let scale: Float
    private let rows: FloatBuffer
    /// `Aᵀ` `[rank, inputs]`, and the identity that lets the LoRA kernel take B's columns as they
    /// are.
    private let turnedA, identity, columnsOfB, inner: FloatBuffer
    private let rank: Int

    /// Rows of `weight` with a projection's adapter, or as they are; at most `chunk` at a time.
    init(weight: WeightMatrix, pair: LoRAPair?, scale: Float, chunk: Int) {
        self.weight = weight
        self.pair = pair
        self.scale = scale
        rows = FloatBuffer(count: chunk * weight.columns)
        let rank = pair.map { $0.a.count / $0.inputs } ?? 0
        self.rank = rank
        turnedA = FloatBuffer(count: rank * weight.columns)
        identity = FloatBuffer(count: rank * rank)
        columnsOfB = FloatBuffer(count: chunk * rank)
        inner = FloatBuffer(count: chunk * rank)
        guard let pair else { return }
        for index in 0..<rank {
            identity[index * rank + index] = 1
            for column in 0..<weight.columns {
                turnedA[index * weight.columns + column] = pair.a[column * rank + index]
            }
        }
    }

    /// `W + scale·(A·B)ᵀ` of a range of rows, `[range, columns]`; valid until the next call.
    func sums(_ range: Range<Int>) -> UnsafeMutablePointer<Float> {
        let ids = range.map { Int32($0) }
        weight.embed(ids, into: rows.pointer)
        guard let pair else { return rows.pointer }
        for (row, output) in range.enumerated() {
            for index in 0..<rank {
                columnsOfB[row * rank + index] = pair.b[index * pair.outputs + output]
            }
        }
        Kernels.lora(
            x: columnsOfB.pointer, a: identity.pointer, b: turnedA.pointer, scale: scale,
            tokens: range.count, inputs: rank, outputs: weight.columns, rank: rank,
            xa: inner.pointer, y: rows.pointer)
        return rows.pointer
    }

    /// The rows as the adapted module multiplies by them: with DoRA, of the magnitudes' length.
    func fused(_ range: Range<Int>) -> UnsafeMutablePointer<Float> {
        let values = sums(range)
        guard let magnitude = pair?.magnitude else { return values }
        for (row, output) in range.enumerated() {
            let start = values + row * weight.columns
            let norm = Kernels.sumSquares(start, count: weight.columns).squareRoot()
            let gain = norm > 0 ? Float(Double(magnitude.values[output]) / norm) : 0
            for column in 0..<weight.columns { start[column] *= gain }
        }
        return values
    }
}
