import CircadiaKernels
import Foundation

/// The matrices of a dense checkpoint in 8 bits. What was quantised and packed is kept in a hidden file
/// beside the checkpoint, as `ModelDirectory` keeps it, so that only the first program that asks for it
/// has the work.
package final class QuantizedWeights {
    private let file: SafetensorsFile
    private let cache: PackCacheFile?
    private let writer: PackCacheWriter?

    /// Columns that share a scale and a bias.
    package static let groupSize = 32
    private static let bits = 8

    /// Matrices of `file`, whose names are `names`: all that will be asked for.
    package init(_ file: SafetensorsFile, names: Set<String>) {
        self.file = file
        let target = file.url.deletingLastPathComponent()
            .appendingPathComponent(PackCache.fileName)
        guard PackCache.isWanted, let key = PackCache.key(of: [file.url]) else {
            (cache, writer) = (nil, nil)
            return
        }
        let found = PackCacheFile(target, key: key)
        // One of a program that quantised in other groups is made anew.
        let isWhole = names.allSatisfy { name in
            guard let shape = file.tensors[name]?.shape, shape.count == 2 else { return false }
            return found?.matrix(name, Self.shape(rows: shape[0], columns: shape[1])) != nil
        }
        cache = isWhole ? found : nil
        writer = cache == nil ? PackCacheWriter(target, key: key, modules: names) : nil
    }

    /// Whether an earlier program's matrices were found and are used.
    package var usesSavedPack: Bool { cache != nil }

    /// Waits until what is being kept for the next program is on disk.
    package func waitForPackCache() { writer?.wait() }

    private static func shape(rows: Int, columns: Int) -> PackCache.Shape {
        PackCache.Shape(
            rows: rows, columns: columns, bits: bits, groupSize: groupSize, scaleFormat: .f32)
    }

    /// A matrix `[rows, columns]`, packed for the kernels.
    ///
    /// - Parameters:
    ///   - name: the tensor's name.
    ///   - rows: outputs.
    ///   - columns: inputs, a multiple of `groupSize`.
    /// - Returns: about the tensor's numbers, as `AffineQuantizer` has them: off by at most one of the 255
    ///   steps of their group's range, half a step but at its end.
    /// - Throws: `FormatError.tensor` where there is no such tensor of floats.
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
