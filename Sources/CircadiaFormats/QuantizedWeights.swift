import CircadiaKernels
import Foundation

/// The matrices of a dense checkpoint in 8 bits. Quantised and packed matrices are saved in a
/// hidden file next to the checkpoint, as `ModelDirectory` does, so that only the first program
/// computes them.
package final class QuantizedWeights {
    private let file: SafetensorsFile
    private let cache: PackCacheFile?
    private let writer: PackCacheWriter?

    /// Columns that share a scale and a bias.
    package static let groupSize = 32
    private static let bits = 8

    /// Creates the matrices of `file`. `names` are all matrices that will be used.
    package init(_ file: SafetensorsFile, names: Set<String>) {
        self.file = file
        let target = file.url.deletingLastPathComponent()
            .appendingPathComponent(PackCache.fileName)
        guard PackCache.isWanted, let key = PackCache.key(of: [file.url]) else {
            (cache, writer) = (nil, nil)
            return
        }
        let found = PackCacheFile(target, key: key)
        // A file with other group sizes is rebuilt.
        let isWhole = names.allSatisfy { name in
            guard let shape = file.tensors[name]?.shape, shape.count == 2 else { return false }
            return found?.matrix(name, Self.shape(rows: shape[0], columns: shape[1])) != nil
        }
        cache = isWhole ? found : nil
        writer = cache == nil ? PackCacheWriter(target, key: key, modules: names) : nil
    }

    /// Whether matrices that an earlier program saved are in use.
    package var usesSavedPack: Bool { cache != nil }

    /// Waits until the matrices for the next program are on the disk.
    package func waitForPackCache() { writer?.wait() }

    private static func shape(rows: Int, columns: Int) -> PackCache.Shape {
        PackCache.Shape(
            rows: rows, columns: columns, bits: bits, groupSize: groupSize, scaleFormat: .f32)
    }

    /// A matrix `[rows, columns]`, packed for the kernels.
    ///
    /// - Parameters:
    ///   - name: the tensor's name.
    ///   - rows: the number of outputs.
    ///   - columns: the number of inputs, a multiple of `groupSize`.
    /// - Returns: the tensor's values as `AffineQuantizer` rounds them. A step is 1/255 of a
    ///   group's range. The error is at most half a step, and at most one step at the end of the
    ///   range.
    /// - Throws: `FormatError.tensor` if there is no float tensor with this name.
    package func matrix(
        _ name: String, rows: Int, columns: Int
    ) throws(FormatError) -> WeightMatrix {
        let shape = Self.shape(rows: rows, columns: columns)
        if let matrix = cache?.matrix(name, shape) { return matrix }
        let quantized = AffineQuantizer.quantize(
            try file.floats(of: name), rows: rows, columns: columns, bits: Self.bits,
            groupSize: Self.groupSize)
        let packed = quantized.words.withUnsafeBytes { words in
            quantized.scales.withUnsafeBytes { scales in
                quantized.biases.withUnsafeBytes { biases in
                    Result<WeightMatrix, KernelError> { () throws(KernelError) in
                        try WeightMatrix(
                            words: words, scales: scales, biases: biases, scaleFormat: .f32,
                            rows: rows, columns: columns, bits: Self.bits,
                            groupSize: Self.groupSize)
                    }
                }
            }
        }
        guard case .success(let matrix) = packed else {
            throw .tensor(
                path: file.url.path, name: name,
                problem: .unsupportedQuantization(bits: Self.bits, groupSize: Self.groupSize))
        }
        writer?.add(matrix, name, shape)
        return matrix
    }
}
