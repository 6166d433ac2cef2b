import CKernels

extension Kernels {
    /// The scratch memory that one training pass needs from its `Workspace`: the largest need of
    /// any of its kernels.
    ///
    /// - Parameters:
    ///   - precision: the precision of forward products and of products with the transposed matrix.
    ///   - matrices: tokens, rows and columns of each kind of matrix. The head has its own number
    ///     of tokens.
    ///   - attention: the shape of a block's attention.
    ///   - rank: the adapter's rank.
    /// - Returns: bytes.
    package static func trainingWorkspaceByteCount(
        _ precision: (forward: Precision, backward: Precision),
        matrices: [(tokens: Int, rows: Int, columns: Int)],
        attention: AttentionShape, rank: Int
    ) -> Int {
        var shape = attention.ck(nil, nil)
        var most = max(ck_attention_workspace(&shape), ck_attention_backward_workspace(&shape))
        for (tokens, rows, columns) in matrices {
            let (tokens, rows, columns) = (Int32(tokens), Int32(rows), Int32(columns))
            most = max(most, ck_matmul_workspace(precision.forward.ck, tokens, rows, columns))
            most = max(
                most, ck_matmul_transposed_workspace(precision.backward.ck, tokens, rows, columns))
            most = max(most, ck_lora_backward_workspace(tokens, columns, rows, Int32(rank)))
        }
        // A workspace allocates a quarter more than requested.
        return most + most / 4
    }
}
