import Foundation

/// A vector as the database keeps it: an f32 scale, then the components in 16 bits, little-endian;
/// component `i` is about `scale * components[i]`.
///
/// Half the bytes of f32, which is what lets five rows share a page of the database; cosines differ by
/// less than 1e-5.
enum StoredVector {
    private static let headerBytes = 4

    static func bytes(of vector: [Float]) -> Data {
        let largest = vector.reduce(0) { max($0, abs($1)) }
        let inverse = largest > 0 ? 32767 / largest : 0
        var data = Data(capacity: headerBytes + 2 * vector.count)
        withUnsafeBytes(of: (largest / 32767).bitPattern.littleEndian) {
            data.append(contentsOf: $0)
        }
        for value in vector {
            let component = Int16(clamping: Int((value * inverse).rounded()))
            withUnsafeBytes(of: component.littleEndian) { data.append(contentsOf: $0) }
        }
        return data
    }

    /// The vector that `bytes(of:)` wrote; empty where the data is none.
    static func vector(of data: Data) -> [Float] {
        data.withUnsafeBytes { bytes in
            (0..<width(ofBytes: data.count)).map { scale(bytes) * component(bytes, $0) }
        }
    }

    /// Components of a vector of so many bytes.
    static func width(ofBytes count: Int) -> Int { max(0, count - headerBytes) / 2 }

    /// The dot product with a query; nil where the sizes differ.
    static func dot(_ query: [Float], _ data: Data) -> Float? {
        guard data.count == headerBytes + 2 * query.count else { return nil }
        return data.withUnsafeBytes { bytes in
            query.withUnsafeBufferPointer { query in
                var sum: Float = 0
                for index in query.indices { sum += query[index] * component(bytes, index) }
                return scale(bytes) * sum
            }
        }
    }

    private static func scale(_ bytes: UnsafeRawBufferPointer) -> Float {
        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
    }

    private static func component(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Float {
        let offset = headerBytes + 2 * index
        return Float(
            Int16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int16.self)))
    }
}
