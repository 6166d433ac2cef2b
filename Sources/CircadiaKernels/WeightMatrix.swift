import CKernels

/// The type of a tensor's elements that kernels can read.
package enum FloatFormat: Sendable, Equatable {
    /// IEEE binary32.
    case f32
    /// IEEE binary16.
    case f16
    /// The upper half of a binary32.
    case bf16

    var ck: ck_dtype_t {
        switch self {
        case .f32: CK_F32
        case .f16: CK_F16
        case .bf16: CK_BF16
        }
    }

    /// The size of one element in bytes.
    package var byteCount: Int { self == .f32 ? 4 : 2 }
}

/// A weight matrix `[rows, columns]` in the packed layout that every matmul reads
/// (`ck_matrix_t` in CKernels.h: blocks of 16 rows, four columns side by side).
///
/// It is `@unchecked Sendable` because it contains a pointer. That is sound. All properties are
/// constants. The memory is packed before the matrix exists and never written afterwards
/// (`init(packed:owner:…)` requires that of its caller). `owner` is only ever released.
package final class WeightMatrix: @unchecked Sendable {
    /// The number of rows: the outputs of the product.
    package let rows: Int
    /// The number of columns: the inputs of the product.
    package let columns: Int
    /// 4, 8, or 32 if the matrix is not quantised.
    package let bits: Int
    /// Columns that share a scale and a bias; 0 if the matrix is not quantised.
    package let groupSize: Int
    /// The dtype of scales and biases.
    package let scaleFormat: FloatFormat

    let storage: ck_matrix_t
    private let owner: AnyObject

    private init(
        data: UnsafeRawPointer, owner: AnyObject, rows: Int, columns: Int, bits: Int,
        groupSize: Int,
        scaleFormat: FloatFormat
    ) {
        self.rows = rows
        self.columns = columns
        self.bits = bits
        self.groupSize = groupSize
        self.scaleFormat = scaleFormat
        self.owner = owner
        storage = ck_matrix_t(
            data: data, scale_dtype: scaleFormat.ck, rows: Int32(rows), cols: Int32(columns),
            bits: Int32(bits), group_size: Int32(groupSize))
    }

    /// The size of the packed form in bytes; nil if no kernel supports the format.
    package static func packedByteCount(
        rows: Int, columns: Int, bits: Int, groupSize: Int, scaleFormat: FloatFormat
    ) -> Int? {
        let size = ck_packed_size(
            Int32(rows), Int32(columns), Int32(bits), Int32(groupSize), scaleFormat.ck)
        return size == 0 ? nil : size
    }

    /// Packs an MLX affine-quantised matrix without loss.
    ///
    /// Operands:
    /// - `words`: `[rows, columns*bits/32]` uint32, least significant element first.
    /// - `scales`: `[rows, columns/groupSize]` of `scaleFormat`.
    /// - `biases`: like `scales`.
    /// - Throws: `KernelError.unsupportedFormat`. Buffers that are shorter than their shapes trap.
    package convenience init(
        words: UnsafeRawBufferPointer, scales: UnsafeRawBufferPointer,
        biases: UnsafeRawBufferPointer, scaleFormat: FloatFormat, rows: Int, columns: Int,
        bits: Int,
        groupSize: Int
    ) throws(KernelError) {
        guard
            let byteCount = Self.packedByteCount(
                rows: rows, columns: columns, bits: bits, groupSize: groupSize,
                scaleFormat: scaleFormat)
        else { throw .unsupportedFormat(bits: bits, groupSize: groupSize) }
        let groupBytes = rows * (columns / groupSize) * scaleFormat.byteCount
        precondition(words.count >= rows * columns * bits / 8, "words are shorter than the shape")
        precondition(scales.count >= groupBytes, "scales are shorter than the shape")
        precondition(biases.count >= groupBytes, "biases are shorter than the shape")
        let packed = AlignedBuffer<UInt8>(count: byteCount)
        var source = ck_affine_t(
            words: words.baseAddress, scales: scales.baseAddress, biases: biases.baseAddress,
            scale_dtype: scaleFormat.ck, rows: Int32(rows), cols: Int32(columns), bits: Int32(bits),
            group_size: Int32(groupSize))
        check(ck_pack_affine(&source, packed.pointer))
        self.init(
            data: packed.pointer, owner: packed, rows: rows, columns: columns, bits: bits,
            groupSize: groupSize, scaleFormat: scaleFormat)
    }

    /// Packs a dense matrix `[rows, columns]` and stores it as f32.
    package convenience init(
        dense: UnsafeRawBufferPointer, format: FloatFormat, rows: Int, columns: Int
    ) {
        precondition(
            dense.count >= rows * columns * format.byteCount, "values are shorter than the shape")
        let byteCount = ck_packed_size(Int32(rows), Int32(columns), 32, 0, CK_F32)
        let packed = AlignedBuffer<UInt8>(count: byteCount)
        check(
            ck_pack_dense(
                dense.baseAddress, format.ck, Int32(rows), Int32(columns), packed.pointer))
        self.init(
            data: packed.pointer, owner: packed, rows: rows, columns: columns, bits: 32,
            groupSize: 0, scaleFormat: .f32)
    }

    /// Wraps memory that is already packed, such as a mapped cache file.
    ///
    /// Operands:
    /// - `packed`: 64-byte aligned, `packedByteCount` bytes. Nobody may write to it while the
    ///   matrix exists.
    /// - `owner`: the memory's owner, kept alive as long as the matrix.
    package convenience init(
        packed: UnsafeRawBufferPointer, owner: AnyObject, rows: Int, columns: Int, bits: Int,
        groupSize: Int, scaleFormat: FloatFormat
    ) {
        guard let base = packed.baseAddress else { preconditionFailure("no packed data") }
        self.init(
            data: base, owner: owner, rows: rows, columns: columns, bits: bits,
            groupSize: groupSize, scaleFormat: scaleFormat)
    }

    /// The packed bytes, for writing a cache file.
    package var packedBytes: UnsafeRawBufferPointer {
        let count = ck_packed_size(
            storage.rows, storage.cols, storage.bits, storage.group_size, storage.scale_dtype)
        return UnsafeRawBufferPointer(start: storage.data, count: count)
    }

    /// Dequantises rows: `out[t, :] = self[ids[t], :]`.
    ///
    /// Operands:
    /// - `ids`: row numbers, each in `0 ..< rows` (others trap).
    /// - `out`: `[ids.count, columns]`.
    package func embed(_ ids: [Int32], into out: UnsafeMutablePointer<Float>) {
        var matrix = storage
        check(ck_embed_rows(&matrix, ids, Int32(ids.count), out))
    }
}

/// Traps on a status that only a programmer mistake can cause.
@inline(__always)
func check(_ status: ck_status_t, _ function: StaticString = #function) {
    precondition(status == CK_OK, "\(function): \(String(cString: ck_status_text(status)))")
}
