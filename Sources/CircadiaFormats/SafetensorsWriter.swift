import CircadiaFiles
import Foundation

/// A tensor to write: name, dtype and shape.
package struct TensorDescription: Sendable, Equatable {
    /// Its name.
    package var name: String
    /// The type of its elements.
    package var type: SafetensorsType
    /// Its dimensions, outermost first.
    package var shape: [Int]

    /// Describes a tensor.
    package init(name: String, type: SafetensorsType, shape: [Int]) {
        self.name = name
        self.type = type
        self.shape = shape
    }

    /// The size of its elements in bytes.
    package var byteCount: Int { shape.reduce(type.byteCount, *) }
}

/// Writes safetensors files under a temporary name, syncs and renames them, so that no reader sees
/// an incomplete file.
package enum SafetensorsWriter {
    /// Receives the next bytes of a tensor.
    package typealias Sink = (UnsafeRawBufferPointer) throws(FileError) -> Void

    /// Writes tensors from memory.
    ///
    /// - Parameters:
    ///   - tensors: the tensors. The number of bytes must match the shape; otherwise it traps.
    ///   - metadata: strings for `__metadata__`.
    ///   - url: the file; replaced if it exists.
    ///   - mode: permissions of the new file, before the umask.
    /// - Throws: `FileError.unwritable`.
    package static func write(
        _ tensors: [(name: String, type: SafetensorsType, shape: [Int], bytes: [UInt8])],
        metadata: [String: String] = ["format": "mlx"], to url: URL, mode: UInt32 = 0o644
    ) throws {
        let descriptions = tensors.map {
            TensorDescription(name: $0.name, type: $0.type, shape: $0.shape)
        }
        try write(descriptions, metadata: metadata, to: url, mode: mode) {
            (index, sink) throws in
            try tensors[index].bytes.withUnsafeBytesTyped(sink)
        }
    }

    /// Writes tensors one after the other. Each is produced when its turn comes.
    ///
    /// - Parameters:
    ///   - tensors: the tensors in the order of the file. For readers that map the file, put those
    ///     with larger elements first.
    ///   - metadata: strings for `__metadata__`.
    ///   - url: the file; replaced if it exists.
    ///   - mode: permissions of the new file, before the umask.
    ///   - isDurable: false skips syncing, for files that are easy to rebuild.
    ///   - produce: called with each tensor's index. It passes the tensor's bytes to the sink, in
    ///     any number of parts. Too few or too many bytes trap.
    /// - Throws: `FileError.unwritable`, and the errors of `produce`. No file remains then.
    package static func write(
        _ tensors: [TensorDescription], metadata: [String: String] = ["format": "mlx"],
        to url: URL, mode: UInt32 = 0o644, isDurable: Bool = true,
        produce: (_ index: Int, _ sink: Sink) throws -> Void
    ) throws {
        let file = try FileReplacement(of: url, mode: mode_t(mode))
        try headerBytes(tensors, metadata: metadata).withUnsafeBytesTyped {
            (bytes) throws(FileError) in try file.write(bytes)
        }
        for (index, tensor) in tensors.enumerated() {
            var written = 0
            try produce(index) { (bytes) throws(FileError) in
                written += bytes.count
                try file.write(bytes)
            }
            precondition(
                written == tensor.byteCount,
                "\(tensor.name): \(written) bytes for a shape of \(tensor.byteCount)")
        }
        try file.commit(isDurable: isDurable)
    }

    /// The length and the header, padded with spaces so that the data starts at a multiple of 64.
    private static func headerBytes(
        _ tensors: [TensorDescription], metadata: [String: String]
    ) -> [UInt8] {
        var header = JSONObject()
        if !metadata.isEmpty {
            var object = JSONObject()
            for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
                object[key] = .string(value)
            }
            header["__metadata__"] = .object(object)
        }
        var position = 0
        for tensor in tensors {
            precondition(header[tensor.name] == nil, "\(tensor.name) comes twice")
            header[tensor.name] = .object([
                "dtype": .string(tensor.type.rawValue),
                "shape": .array(tensor.shape.map { .integer($0) }),
                "data_offsets": .array([.integer(position), .integer(position + tensor.byteCount)]),
            ])
            position += tensor.byteCount
        }
        var text = Array(JSONValue.object(header).text().utf8)
        while (text.count + 8) % 64 != 0 { text.append(UInt8(ascii: " ")) }
        return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
    }
}
