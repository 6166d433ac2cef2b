import CKernels

/// The precision of a matrix product.
package enum Precision: String, Sendable, Equatable, Codable {
    /// f32 throughout; the other precisions are checked against it.
    case exact
    /// Activations rounded to 8 bits per token and group, for inference.
    case int8
    /// Activations as two 8-bit digits; the second rounds the remainder of the first. For matrices
    /// that need finer inputs, at twice the arithmetic.
    case int8x2
    /// Weights and activations rounded to bf16, sums in f32, for training.
    case bf16

    var ck: ck_precision_t {
        switch self {
        case .exact: CK_PRECISION_EXACT
        case .int8: CK_PRECISION_INT8
        case .int8x2: CK_PRECISION_INT8X2
        case .bf16: CK_PRECISION_BF16
        }
    }
}

/// The kernels of CKernels with Swift's types. Shapes are as in `CKernels.h`; wrong shapes trap.
package enum Kernels {
    /// `outputs[m] = x · weights[m]ᵀ` (or `+=`) for matrices that share their input.
    ///
    /// Operands:
    /// - `x`: `[tokens, columns]`.
    /// - `weights`: each `[rows_m, columns]`.
    /// - `finer`: the `weights` that use `.int8x2` when the others use `.int8`.
    /// - `outputs`: each `[tokens, rows_m]`; must not alias `x`.
    package static func matmul(
        _ precision: Precision, x: UnsafePointer<Float>, tokens: Int, weights: [WeightMatrix],
        finer: Range<Int> = 0..<0, outputs: [UnsafeMutablePointer<Float>],
        accumulate: Bool = false, workspace: Workspace
    ) {
        precondition(weights.count == outputs.count && weights.count <= 4 && !weights.isEmpty)
        let columns = weights[0].columns
        let rows = weights.reduce(0) { max($0, $1.rows) }
        let finest = precision == .int8 && !finer.isEmpty ? Precision.int8x2 : precision
        let byteCount = ck_matmul_workspace(
            finest.ck, Int32(tokens), Int32(rows), Int32(columns))
        let bytes = workspace.bytes(byteCount)
        withUnsafeTemporaryAllocation(of: ck_matrix_t.self, capacity: weights.count) { matrices in
            withUnsafeTemporaryAllocation(
                of: ck_product_t.self, capacity: weights.count
            ) { products in
                for (index, weight) in weights.enumerated() {
                    precondition(weight.columns == columns, "matrices do not share their input")
                    matrices.initializeElement(at: index, to: weight.storage)
                    products.initializeElement(
                        at: index,
                        to: ck_product_t(
                            precision: (finer.contains(index) ? finest : precision).ck,
                            weights: matrices.baseAddress.map { UnsafePointer($0 + index) },
                            output: outputs[index]))
                }
                check(
                    ck_matmul(
                        x, Int32(tokens), products.baseAddress, Int32(weights.count), accumulate,
                        bytes, byteCount))
            }
        }
    }

    /// `dx = dy · w` (or `+=`): the backward pass through a frozen matrix.
    ///
    /// Operands:
    /// - `dy`: `[tokens, rows]`.
    /// - `dx`: `[tokens, columns]`; must not alias `dy`.
    package static func matmulTransposed(
        _ precision: Precision, dy: UnsafePointer<Float>, tokens: Int, weight: WeightMatrix,
        dx: UnsafeMutablePointer<Float>, accumulate: Bool = false, workspace: Workspace
    ) {
        let byteCount = ck_matmul_transposed_workspace(
            precision.ck, Int32(tokens), Int32(weight.rows), Int32(weight.columns))
        var matrix = weight.storage
        check(
            ck_matmul_transposed(
                precision.ck, dy, Int32(tokens), &matrix, dx, accumulate,
                workspace.bytes(byteCount), byteCount))
    }
}
