import CircadiaFiles
import Foundation

/// A safetensors file, mapped into memory. The whole header is validated when it is opened.
///
/// Format: 8 bytes little-endian header length, a JSON header, then the tensors' bytes without gaps
/// or overlaps (github.com/huggingface/safetensors).
package final class SafetensorsFile: Sendable {
    /// The file's URL.
    package let url: URL
    /// The tensors by name.
    package let tensors: [String: TensorEntry]
    /// The strings under `__metadata__`.
    package let metadata: [String: String]
    private let file: MappedFile

    /// The format's limit for the header, in bytes.
    private static let headerLimit: UInt64 = 100_000_000

    /// Maps and validates a file.
    ///
    /// - Throws: `FileError.unreadable`, `FileError.malformedJSON` or `FormatError.safetensors`.
    package init(path url: URL) throws {
        self.url = url
        let file = try MappedFile(url)
        self.file = file
        (tensors, metadata) = try file.withBytes { (bytes) throws in
            try Self.contents(bytes, path: url.path)
        }
    }

    private static func contents(
        _ bytes: UnsafeRawBufferPointer, path: String
    ) throws -> ([String: TensorEntry], [String: String]) {
        guard bytes.count >= 8 else {
            throw FormatError.safetensors(path: path, problem: .tooShort(byteCount: bytes.count))
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= headerLimit, length <= UInt64(bytes.count - 8) else {
            throw FormatError.safetensors(
                path: path,
                problem: .badHeaderLength(length: length, fileByteCount: bytes.count))
        }
        let dataStart = 8 + Int(length)
        let header: JSONValue
        do throws(FileError) {
            header = try JSONValue(
                parsing: UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart]), path: path)
        } catch .malformedJSON(_, let offset, let problem) {
            throw FileError.malformedJSON(path: path, offset: offset + 8, problem: problem)
        }
        do throws(SafetensorsProblem) {
            return try entries(
                header: header, dataStart: dataStart, dataByteCount: bytes.count - dataStart)
        } catch {
            throw FormatError.safetensors(path: path, problem: error)
        }
    }

    /// The bytes of a tensor. They may be unaligned. They are valid only as long as this object
    /// lives: keep it, or use `withBytes`.
    ///
    /// - Throws: `FormatError.tensor` with `.missing`.
    package func bytes(of name: String) throws(FormatError) -> UnsafeRawBufferPointer {
        guard let entry = tensors[name] else {
            throw .tensor(path: url.path, name: name, problem: .missing)
        }
        return UnsafeRawBufferPointer(rebasing: file.bytes[entry.byteRange])
    }

    /// Calls `body` with the bytes of a tensor and keeps the file mapped meanwhile.
    ///
    /// - Throws: `FormatError.tensor` with `.missing`, and the errors of `body`.
    package func withBytes<Result>(
        of name: String, _ body: (UnsafeRawBufferPointer) throws(FormatError) -> Result
    ) throws(FormatError) -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(try bytes(of: name))
    }

    /// The values of an F32, F16 or BF16 tensor as f32.
    ///
    /// - Throws: `FormatError.tensor` with `.missing` or `.wrongType`.
    package func floats(of name: String) throws(FormatError) -> [Float] {
        let source = try bytes(of: name)
        defer { withExtendedLifetime(self) {} }
        guard let entry = tensors[name], let format = entry.type.floatFormat else {
            throw .tensor(
                path: url.path, name: name,
                problem: .wrongType(
                    expected: ["F32", "F16", "BF16"], found: tensors[name]?.type.rawValue ?? ""))
        }
        let count = entry.elementCount
        return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0..<count {
                let value: Float =
                    switch format {
                    case .f32:
                        source.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
                    case .f16:
                        HalfPrecision.float(
                            half: source.loadUnaligned(
                                fromByteOffset: 2 * index, as: UInt16.self))
                    case .bf16:
                        HalfPrecision.float(
                            bfloat: source.loadUnaligned(
                                fromByteOffset: 2 * index, as: UInt16.self))
                    }
                buffer.initializeElement(at: index, to: value)
            }
            initialized = count
        }
    }
}

extension SafetensorsProblem: Error {}

extension SafetensorsFile {
    /// Reads and checks the header: every range lies inside the file and has the right size, no two
    /// overlap, and no byte is left out.
    private static func entries(
        header: JSONValue, dataStart: Int, dataByteCount: Int
    ) throws(SafetensorsProblem) -> ([String: TensorEntry], [String: String]) {
        guard case .object(let object) = header else { throw .headerNotAnObject }
        var tensors: [String: TensorEntry] = [:]
        var metadata: [String: String] = [:]
        for (name, value) in object.members {
            if name == "__metadata__" {
                for (key, text) in value.objectValue?.members ?? [] {
                    metadata[key] = text.stringValue
                }
                continue
            }
            tensors[name] = try entry(
                name: name, value: value, dataStart: dataStart, dataByteCount: dataByteCount)
        }
        var position = 0
        var previous = ""
        let ordered = tensors.values.sorted {
            ($0.byteRange.lowerBound, $0.byteRange.upperBound, $0.name)
                < ($1.byteRange.lowerBound, $1.byteRange.upperBound, $1.name)
        }
        for entry in ordered where !entry.byteRange.isEmpty {
            let start = entry.byteRange.lowerBound - dataStart
            if start < position { throw .overlap(first: previous, second: entry.name) }
            if start > position { throw .gap(start: position, count: start - position) }
            position = entry.byteRange.upperBound - dataStart
            previous = entry.name
        }
        if position < dataByteCount {
            throw .gap(start: position, count: dataByteCount - position)
        }
        return (tensors, metadata)
    }

    private static func entry(
        name: String, value: JSONValue, dataStart: Int, dataByteCount: Int
    ) throws(SafetensorsProblem) -> TensorEntry {
        guard let typeName = value["dtype"]?.stringValue else {
            throw .badEntry(tensor: name, field: "dtype")
        }
        guard let type = SafetensorsType(rawValue: typeName) else {
            throw .unknownType(tensor: name, type: typeName)
        }
        var shape: [Int] = []
        var byteCount = type.byteCount
        guard let dimensions = value["shape"]?.arrayValue else {
            throw .badEntry(tensor: name, field: "shape")
        }
        for dimension in dimensions {
            guard let size = dimension.intValue, size >= 0 else {
                throw .badEntry(tensor: name, field: "shape")
            }
            let (product, overflow) = byteCount.multipliedReportingOverflow(by: size)
            if overflow { throw .badEntry(tensor: name, field: "shape") }
            byteCount = product
            shape.append(size)
        }
        guard let offsets = value["data_offsets"]?.arrayValue, offsets.count == 2,
            let start = offsets[0].intValue, let end = offsets[1].intValue, start >= 0, start <= end
        else { throw .badEntry(tensor: name, field: "data_offsets") }
        guard end <= dataByteCount else {
            throw .rangeOutsideFile(
                tensor: name, start: start, end: end, dataByteCount: dataByteCount)
        }
        guard end - start == byteCount else {
            throw .wrongByteCount(tensor: name, expected: byteCount, found: end - start)
        }
        return TensorEntry(
            name: name, type: type, shape: shape,
            byteRange: dataStart + start..<dataStart + end)
    }
}
