import CircadiaFiles
import Foundation

/// One tensor of a GGUF file.
package struct GGUFTensor: Sendable, Equatable {
    /// Its name.
    package let name: String
    /// Its dimensions, outermost first (GGUF itself writes them innermost first).
    package let shape: [Int]
    /// Its element format.
    package let type: GGUFTensorType
    /// The range of its bytes, counted from the start of the file.
    package let byteRange: Range<Int>
}

/// A GGUF file (versions 2 and 3, little-endian), mapped into memory and validated when opened.
///
/// Format: github.com/ggml-org/ggml, docs/gguf.md.
package final class GGUFFile: Sendable {
    /// The file's URL.
    package let url: URL
    /// The metadata by key.
    package let metadata: [String: GGUFValue]
    /// The tensors in the file's order.
    package let tensors: [GGUFTensor]
    private let file: MappedFile

    /// Maps and validates a file.
    ///
    /// - Throws: `FileError.unreadable` or `FormatError.gguf`.
    package init(path url: URL) throws {
        self.url = url
        let file = try MappedFile(url)
        self.file = file
        do throws(GGUFProblem) {
            (metadata, tensors) = try file.withBytes { (bytes) throws(GGUFProblem) in
                var reader = GGUFReader(bytes: bytes)
                return try reader.contents()
            }
        } catch {
            throw FormatError.gguf(path: url.path, problem: error)
        }
    }

    /// The bytes of a tensor; valid as long as this object lives.
    package func bytes(of tensor: GGUFTensor) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: file.bytes[tensor.byteRange])
    }

    /// The tensor with this name; nil if there is none.
    package func tensor(_ name: String) -> GGUFTensor? { tensors.first { $0.name == name } }
}

extension GGUFProblem: Error {}

/// Reads the header of a GGUF file and checks every count against the remaining bytes.
private struct GGUFReader {
    let bytes: UnsafeRawBufferPointer
    var offset = 0

    init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    mutating func contents() throws(GGUFProblem) -> ([String: GGUFValue], [GGUFTensor]) {
        guard bytes.count >= 4, bytes[0..<4].elementsEqual("GGUF".utf8) else { throw .notGGUF }
        offset = 4
        let version = try number(UInt32.self, "version")
        guard version == 2 || version == 3 else { throw .unknownVersion(version) }
        let tensorCount = try count("tensor count", smallest: 24)
        let metadataCount = try count("metadata count", smallest: 12)
        var metadata: [String: GGUFValue] = [:]
        for _ in 0..<metadataCount {
            let key = try string("metadata key")
            metadata[key] = try value(key, try number(UInt32.self, key), depth: 0)
        }
        var infos: [(name: String, shape: [Int], type: GGUFTensorType, offset: UInt64)] = []
        for _ in 0..<tensorCount { infos.append(try tensorInfo()) }
        let alignment = metadata["general.alignment"]?.intValue ?? 32
        guard alignment > 0, alignment <= 1 << 20, alignment & (alignment - 1) == 0 else {
            throw .inconsistentMetadata(
                key: "general.alignment", expected: "a power of two", found: "\(alignment)")
        }
        let dataStart = (offset + alignment - 1) / alignment * alignment
        var tensors: [GGUFTensor] = []
        for info in infos {
            let byteCount = Self.byteCount(shape: info.shape, type: info.type)
            guard let byteCount, let start = Int(exactly: info.offset), start <= bytes.count,
                dataStart + start + byteCount <= bytes.count
            else {
                let end = Double(dataStart) + Double(info.offset) + Double(byteCount ?? .max)
                throw .tensorOutsideFile(
                    tensor: info.name, end: Int(exactly: end.rounded()) ?? .max,
                    fileByteCount: bytes.count)
            }
            tensors.append(
                GGUFTensor(
                    name: info.name, shape: info.shape, type: info.type,
                    byteRange: dataStart + start..<dataStart + start + byteCount))
        }
        return (metadata, tensors)
    }

    /// The size of a tensor in bytes; nil if it exceeds any possible file.
    private static func byteCount(shape: [Int], type: GGUFTensorType) -> Int? {
        guard let columns = shape.last, columns.isMultiple(of: type.blockSize) else { return nil }
        var count = columns / type.blockSize * type.blockByteCount
        for dimension in shape.dropLast() {
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            if overflow || product > 1 << 48 { return nil }
            count = product
        }
        return count
    }

    private mutating func tensorInfo() throws(GGUFProblem) -> (
        name: String, shape: [Int], type: GGUFTensorType, offset: UInt64
    ) {
        let name = try string("tensor name")
        let start = offset
        let dimensionCount = try number(UInt32.self, name)
        guard 1...4 ~= dimensionCount else {
            throw .implausibleCount(
                offset: start, item: "dimensions of \(name)", count: UInt64(dimensionCount))
        }
        var shape: [Int] = []
        for _ in 0..<dimensionCount {
            let at = offset
            let size = try number(UInt64.self, name)
            guard size <= 1 << 32 else {
                throw .implausibleCount(offset: at, item: "dimension of \(name)", count: size)
            }
            shape.insert(Int(size), at: 0)
        }
        let raw = try number(UInt32.self, name)
        guard let type = GGUFTensorType(rawValue: raw) else {
            throw .unsupportedTensorType(tensor: name, type: GGUFTensorType.name(of: raw))
        }
        return (name, shape, type, try number(UInt64.self, name))
    }

    private mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type, _ item: String
    ) throws(GGUFProblem) -> Number {
        let size = MemoryLayout<Number>.size
        guard bytes.count - offset >= size else { throw .truncated(offset: offset, item: item) }
        defer { offset += size }
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    /// Reads a count of items of at least `smallest` bytes each.
    private mutating func count(
        _ item: String, smallest: Int
    ) throws(GGUFProblem) -> Int {
        let start = offset
        let value = try number(UInt64.self, item)
        guard value <= UInt64((bytes.count - offset) / smallest) else {
            throw .implausibleCount(offset: start, item: item, count: value)
        }
        return Int(value)
    }

    private mutating func string(_ item: String) throws(GGUFProblem) -> String {
        let start = offset
        let length = try count("length of \(item)", smallest: 1)
        guard
            let text = String(
                validating: bytes[offset..<offset + length], as: UTF8.self)
        else { throw .badString(offset: start) }
        offset += length
        return text
    }

    private mutating func value(
        _ key: String, _ type: UInt32, depth: Int
    ) throws(GGUFProblem) -> GGUFValue {
        switch type {
        case 0: return .integer(Int(try number(UInt8.self, key)))
        case 1: return .integer(Int(try number(Int8.self, key)))
        case 2: return .integer(Int(try number(UInt16.self, key)))
        case 3: return .integer(Int(try number(Int16.self, key)))
        case 4: return .integer(Int(try number(UInt32.self, key)))
        case 5: return .integer(Int(try number(Int32.self, key)))
        case 6:
            // The value goes through its shortest text, so that 1e-5 stays 1e-05 and not
            // 9.99999974737875e-06.
            let float = Float(bitPattern: try number(UInt32.self, key))
            return .float(Double(float.description) ?? Double(float))
        case 7: return .bool(try number(UInt8.self, key) != 0)
        case 8: return .string(try string(key))
        case 9:
            guard depth < 4 else { throw .unknownValueType(key: key, type: type) }
            let element = try number(UInt32.self, key)
            let count = try count("length of \(key)", smallest: element == 8 ? 8 : 1)
            var values: [GGUFValue] = []
            values.reserveCapacity(count)
            for _ in 0..<count { values.append(try value(key, element, depth: depth + 1)) }
            return .array(values)
        case 10: return .integer(Int(clamping: try number(UInt64.self, key)))
        case 11: return .integer(Int(try number(Int64.self, key)))
        case 12: return .float(Double(bitPattern: try number(UInt64.self, key)))
        default: throw .unknownValueType(key: key, type: type)
        }
    }
}
