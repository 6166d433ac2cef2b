extension Reference {
    /// A low-rank addition to a linear layer: `y + scale · (x·a)·b`.
    ///
    /// `x` is `[tokens, inputs]`, `a` `[inputs, rank]`, `b` `[rank, outputs]`, `y`
    /// `[tokens, outputs]`.
    ///
    /// - Returns: the new `y`, and `xa = x·a` `[tokens, rank]`.
    package static func lora(
        x: [Double], a: [Double], b: [Double], scale: Double, tokens: Int, rank: Int, y: [Double]
    ) -> (y: [Double], xa: [Double]) {
        let xa = product(x, a, rows: tokens, inner: a.count / rank, columns: rank)
        let added = product(xa, b, rows: tokens, inner: rank, columns: b.count / rank)
        return (zip(y, added).map { $0 + scale * $1 }, xa)
    }

    /// The gradients of `lora`. With `g = scale · dy·bᵀ`: `da = xᵀ·g`, `db = scale · xaᵀ·dy`, `dx =
    /// g·aᵀ`.
    ///
    /// `dy` is `[tokens, outputs]`. Each result has the shape of its operand.
    package static func loraBackward(
        x: [Double], xa: [Double], a: [Double], b: [Double], dy: [Double], scale: Double,
        tokens: Int, rank: Int
    ) -> (da: [Double], db: [Double], dx: [Double]) {
        let (inputs, outputs) = (a.count / rank, b.count / rank)
        let bTransposed = transposed(b, rows: rank, columns: outputs)
        let g = product(dy, bTransposed, rows: tokens, inner: outputs, columns: rank)
            .map { scale * $0 }
        let xTransposed = transposed(x, rows: tokens, columns: inputs)
        let xaTransposed = transposed(xa, rows: tokens, columns: rank)
        let aTransposed = transposed(a, rows: inputs, columns: rank)
        return (
            product(xTransposed, g, rows: inputs, inner: tokens, columns: rank),
            product(xaTransposed, dy, rows: rank, inner: tokens, columns: outputs)
                .map { scale * $0 },
            product(g, aTransposed, rows: tokens, inner: rank, columns: inputs)
        )
    }

    /// `a·b` `[rows, columns]` of `a` `[rows, inner]` and `b` `[inner, columns]`.
    package static func product(
        _ a: [Double], _ b: [Double], rows: Int, inner: Int, columns: Int
    ) -> [Double] {
        var out = [Double](repeating: 0, count: rows * columns)
        for i in 0..<rows {
            for k in 0..<inner {
                for j in 0..<columns {
                    out[i * columns + j] += a[i * inner + k] * b[k * columns + j]
                }
            }
        }
        return out
    }

    /// The transpose `[columns, rows]` of `a` `[rows, columns]`.
    package static func transposed(_ a: [Double], rows: Int, columns: Int) -> [Double] {
        (0..<columns).flatMap { j in (0..<rows).map { a[$0 * columns + j] } }
    }
}
