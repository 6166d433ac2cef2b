import Foundation

/// Writes small GGUF files (version 3, little-endian): metadata and F32 tensors.
///
/// Format: github.com/ggml-org/ggml, docs/gguf.md.
enum GGUFWriter {
    /// A metadata value of a type that adapters need.
    enum Value {
        case string(String)
        case float(Float)
        case uint32(UInt32)
    }

    private static let alignment = 32

    /// The bytes of a file.
    static func bytes(
        metadata: [(key: String, value: Value)], tensors: [(name: String, tensor: AdapterTensor)]
    ) -> [UInt8] {
        var out = Array("GGUF".utf8)
        append(UInt32(3), to: &out)
        append(UInt64(tensors.count), to: &out)
        append(UInt64(metadata.count), to: &out)
        for (key, value) in metadata {
            append(key, to: &out)
            switch value {
            case .uint32(let number):
                append(UInt32(4), to: &out)
                append(number, to: &out)
            case .float(let number):
                append(UInt32(6), to: &out)
                append(number.bitPattern, to: &out)
            case .string(let text):
                append(UInt32(8), to: &out)
                append(text, to: &out)
            }
        }
        var offset = 0
        for (name, tensor) in tensors {
            append(name, to: &out)
            append(UInt32(tensor.shape.count), to: &out)
            // GGUF writes the innermost dimension first.
            for size in tensor.shape.reversed() { append(UInt64(size), to: &out) }
            append(GGUFTensorType.f32.rawValue, to: &out)
            append(UInt64(offset), to: &out)
            offset += aligned(4 * tensor.values.count)
        }
        pad(&out)
        for (_, tensor) in tensors {
            tensor.values.withUnsafeBytes { out.append(contentsOf: $0) }
            pad(&out)
        }
        return out
    }

    private static func aligned(_ count: Int) -> Int {
        (count + alignment - 1) / alignment * alignment
    }

    private static func pad(_ out: inout [UInt8]) {
        out.append(contentsOf: repeatElement(0, count: aligned(out.count) - out.count))
    }

    private static func append(_ number: some FixedWidthInteger, to out: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { out.append(contentsOf: $0) }
    }

    private static func append(_ text: String, to out: inout [UInt8]) {
        append(UInt64(text.utf8.count), to: &out)
        out.append(contentsOf: text.utf8)
    }
}
