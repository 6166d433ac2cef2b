import CircadiaKernels

/// Memory for weights, caches and vectors: one large buffer. Each benchmark takes as many copies as
/// fit. Its calls alternate between them, so no operand is in a cache.
final class Memory {
    private let buffer: AlignedBuffer<UInt8>

    /// Every byte is 0x3c, which is a normal value in every format: 0.0115 in f32 and bf16, 1.06 in
    /// f16, 12 and 3 in 4 bits. The speed does not depend on it.
    init(byteCount: Int) {
        buffer = AlignedBuffer(uninitializedCount: byteCount)
        buffer.pointer.update(repeating: 0x3c, count: byteCount)
    }

    /// The offsets of as many blocks of `byteCount` bytes as fit, at most `most`.
    private func offsets(byteCount: Int, most: Int = .max) -> [Int] {
        let step = (byteCount + 63) / 64 * 64
        return (0..<min(most, buffer.count / step)).map { $0 * step }
    }

    /// Copies of the matrices of a projection; none if the memory is too small.
    func weights(_ projection: ModelShape.Projection) -> [[WeightMatrix]] {
        let format = projection.format
        guard
            let byteCount = WeightMatrix.packedByteCount(
                rows: projection.rows, columns: projection.columns, bits: format.bits,
                groupSize: format.groupSize, scaleFormat: format.scales)
        else { return [] }
        let matrices = offsets(byteCount: byteCount).map { offset in
            WeightMatrix(
                packed: UnsafeRawBufferPointer(start: buffer.pointer + offset, count: byteCount),
                owner: buffer, rows: projection.rows, columns: projection.columns,
                bits: format.bits, groupSize: format.groupSize, scaleFormat: format.scales)
        }
        return (0..<matrices.count / projection.count).map { copy in
            (0..<projection.count).map { matrices[copy * projection.count + $0] }
        }
    }

    /// 8-bit caches of a block.
    func caches(_ shape: AttentionShape) -> [AttentionCache] {
        let byteCount = AttentionCache.byteCount(
            kvHeads: shape.kvHeads, capacity: shape.capacity, headDim: shape.headDim, format: .int8)
        return offsets(byteCount: byteCount, most: 512).map {
            AttentionCache(
                kvHeads: shape.kvHeads, capacity: shape.capacity, headDim: shape.headDim,
                format: .int8, in: buffer, at: $0)
        }
    }
}
