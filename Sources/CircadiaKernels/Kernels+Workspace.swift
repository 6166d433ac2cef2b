import CKernels

extension Kernels {
    /// The scratch memory that one training pass asks of its `Workspace`: the most that any of its
    /// kernels wants.
    ///
    /// - Parameters:
    ///   - precision: of the products with a matrix, and with it transposed.
    ///   - matrices: rows and columns of every kind of matrix, the head's with its own tokens.
    ///   - attention: the shape of a block's attention.
    ///   - rank: of the adapter.
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
        // A workspace grows by a quarter more than is asked for.
        return most + most / 4
    }
}
