import CKernels

extension WeightMatrix {
    /// Dequantises rows from memory that the caller owns: `out[t, :] = self[ids[t], :]`.
    ///
    /// - Parameters:
    ///   - ids: `[count]` row numbers, each in `0 ..< rows` (others trap).
    ///   - count: the number of rows.
    ///   - out: `[count, columns]`.
    package func embed(
        _ ids: UnsafePointer<Int32>, count: Int, into out: UnsafeMutablePointer<Float>
    ) {
        var matrix = storage
        check(ck_embed_rows(&matrix, ids, Int32(count), out))
    }
}
