import Foundation

/// A vector of the index in 8 bits: component `i` is about `scale * components[i]`.
///
/// Errors of dot products of unit vectors stay below 0.002; the best results are compared again in
/// 16 bits.
struct QuantizedVector {
    var scale: Float
    var components: [Int8]

    init(_ vector: [Float]) {
        let largest = vector.reduce(0) { max($0, abs($1)) }
        scale = largest / 127
        let inverse = largest > 0 ? 127 / largest : 0
        components = vector.map { Int8(clamping: Int(($0 * inverse).rounded())) }
    }
}

/// Whose words a vector stands for.
enum VectorSide: UInt8 {
    /// The whole exchange: what version 1 of the store kept.
    case whole = 0
    case user = 1
    case other = 2
}

/// The vector rows of one block of exchanges, as they lie on disk: number, side, scale, components.
enum VectorRows {
    static let headerBytes = 13

    static func append(
        _ vector: QuantizedVector, number: Int64, side: VectorSide, to data: inout Data
    ) {
        withUnsafeBytes(of: number.littleEndian) { data.append(contentsOf: $0) }
        data.append(side.rawValue)
        withUnsafeBytes(of: vector.scale.bitPattern.littleEndian) { data.append(contentsOf: $0) }
        vector.components.withUnsafeBytes { data.append(contentsOf: $0) }
    }

    /// The rows without those of one exchange; `width` is 0 where it has none.
    static func removing(number: Int64, from data: Data, width: Int) -> Data {
        if width == 0 { return data }
        let stride = headerBytes + width
        return data.withUnsafeBytes { bytes in
            var kept = Data()
            for row in 0..<bytes.count / stride
            where Self.number(bytes, row: row, stride: stride) != number {
                kept.append(contentsOf: bytes[row * stride..<(row + 1) * stride])
            }
            return kept
        }
    }

    static func number(_ bytes: UnsafeRawBufferPointer, row: Int, stride: Int) -> Int64 {
        Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: row * stride, as: Int64.self))
    }
}
