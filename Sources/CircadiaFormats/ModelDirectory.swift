import CircadiaFiles
import CircadiaKernels
import Foundation

/// A Llama in an MLX directory: `config.json` and the weights in `model*.safetensors`.
///
/// Weights are mapped, not read. Each matrix is packed for the kernels on first use. Packed
/// matrices are saved in a hidden file next to the weights, and the next start maps that file
/// (`CIRCADIA_PACK_CACHE=0` turns this off).
package final class ModelDirectory: Sendable {
    /// The directory's URL.
    package let url: URL
    /// Its `config.json`.
    package let configuration: ModelConfiguration
    private let shards: ShardedWeights
    private let cache: PackCacheFile?
    private let cacheWriter: PackCacheWriter?

    /// Opens a directory and validates the configuration and every file's header.
    ///
    /// - Throws: `FormatError`.
    package convenience init(_ url: URL) throws {
        try self.init(url, usesPackCache: PackCache.isWanted)
    }

    /// Opens a directory and validates the configuration and every file's header.
    ///
    /// - Parameters:
    ///   - url: the directory.
    ///   - usesPackCache: whether packed weights may be read from the directory and saved in it.
    /// - Throws: `FormatError`.
    package init(_ url: URL, usesPackCache: Bool) throws {
        self.url = url
        configuration = try ModelConfiguration(directory: url)
        shards = try ShardedWeights(directory: url)
        let cacheURL = url.appendingPathComponent(PackCache.fileName)
        let modules = shards.quantizedModules
        let sources = shards.files.map(\.url)
        guard usesPackCache, !modules.isEmpty, let key = PackCache.key(of: sources) else {
            cache = nil
            cacheWriter = nil
            return
        }
        cache = PackCacheFile(cacheURL, key: key)
        cacheWriter =
            cache == nil ? PackCacheWriter(cacheURL, key: key, modules: modules) : nil
    }

    /// Whether packed weights of an earlier start are in use.
    package var usesSavedPack: Bool { cache != nil }

    /// Waits until the packed weights for the next start are on the disk.
    ///
    /// A program that ends without waiting only loses the time saved by them.
    package func waitForPackCache() { cacheWriter?.wait() }

    /// Whether any file contains a tensor with this name.
    package func hasTensor(_ name: String) -> Bool { shards.file(of: name) != nil }

    /// The names of all tensors.
    package var tensorNames: Set<String> { shards.names }

    /// The weight matrix of a module, packed for the kernels. It is quantised if `<path>.scales`
    /// exists.
    ///
    /// - Parameters:
    ///   - path: the module's path, such as `model.layers.0.mlp.up_proj`.
    ///   - rows: the number of outputs that the caller expects.
    ///   - columns: the number of inputs that the caller expects.
    /// - Returns: the packed matrix.
    /// - Throws: `FormatError.tensor` if a tensor is missing or has another shape or dtype.
    package func weightMatrix(
        _ path: String, rows: Int, columns: Int
    ) throws(FormatError) -> WeightMatrix {
        guard hasTensor("\(path).scales") else {
            return try denseMatrix(path, rows: rows, columns: columns)
        }
        let source = try quantizedSource(path, rows: rows, columns: columns)
        defer { withExtendedLifetime(shards) {} }
        let shape = PackCache.Shape(
            rows: rows, columns: columns, bits: source.format.bits,
            groupSize: source.format.groupSize, scaleFormat: source.scaleFormat)
        if let matrix = cache?.matrix(path, shape) { return matrix }
        do throws(KernelError) {
            let matrix = try WeightMatrix(
                words: source.words, scales: source.scales, biases: source.biases,
                scaleFormat: source.scaleFormat, rows: rows, columns: columns,
                bits: source.format.bits, groupSize: source.format.groupSize)
            cacheWriter?.add(matrix, path, shape)
            // The matrix is packed now, so the checkpoint's own pages need not stay in memory.
            for part in [source.words, source.scales, source.biases] { MappedFile.release(part) }
            return matrix
        } catch {
            throw problem(
                "\(path).weight",
                .unsupportedQuantization(
                    bits: source.format.bits, groupSize: source.format.groupSize))
        }
    }

    /// A one-dimensional tensor as f32, such as the weight of a norm.
    ///
    /// - Parameters:
    ///   - name: the tensor's full name, such as `model.norm.weight`.
    ///   - count: the number of elements that the caller expects.
    /// - Returns: `[count]`.
    /// - Throws: `FormatError.tensor`.
    package func vector(_ name: String, count: Int) throws(FormatError) -> WeightVector {
        let (file, _) = try entry(name, shape: [count])
        return WeightVector(try file.floats(of: name))
    }
}

extension ModelDirectory {
    /// The bytes of a quantised matrix as stored in the checkpoint.
    struct QuantizedSource {
        var words: UnsafeRawBufferPointer
        var scales: UnsafeRawBufferPointer
        var biases: UnsafeRawBufferPointer
        var scaleFormat: FloatFormat
        var format: QuantizationFormat
    }

    /// Finds and checks words, scales and biases of a module.
    func quantizedSource(
        _ path: String, rows: Int, columns: Int
    ) throws(FormatError) -> QuantizedSource {
        let format = try quantization(path, rows: rows, columns: columns)
        let weight = "\(path).weight"
        let groups = [rows, columns / format.groupSize]
        let (words, wordsEntry) = try entry(weight, shape: [rows, columns * format.bits / 32])
        guard wordsEntry.type == .u32 else {
            throw problem(weight, .wrongType(expected: ["U32"], found: wordsEntry.type.rawValue))
        }
        let (scales, scalesEntry) = try entry("\(path).scales", shape: groups)
        let (biases, biasesEntry) = try entry("\(path).biases", shape: groups)
        guard let scaleFormat = scalesEntry.type.floatFormat else {
            throw problem(
                "\(path).scales",
                .wrongType(expected: ["F32", "F16", "BF16"], found: scalesEntry.type.rawValue))
        }
        guard biasesEntry.type == scalesEntry.type else {
            throw problem(
                "\(path).biases",
                .wrongType(
                    expected: [scalesEntry.type.rawValue], found: biasesEntry.type.rawValue))
        }
        return QuantizedSource(
            words: try words.bytes(of: weight), scales: try scales.bytes(of: "\(path).scales"),
            biases: try biases.bytes(of: "\(path).biases"), scaleFormat: scaleFormat,
            format: format)
    }

    /// The format of a module. An exception of the configuration wins; otherwise the stored shapes
    /// decide (as in mlx_lm, whose default entry is only a hint).
    private func quantization(
        _ path: String, rows: Int, columns: Int
    ) throws(FormatError) -> QuantizationFormat {
        let weight = "\(path).weight"
        let exception = configuration.quantization?.exceptions[path]
        if exception == .dense { throw problem(weight, .unexpectedScales) }
        guard let words = shards.entry(of: weight) else { throw problem(weight, .missing) }
        guard let scales = shards.entry(of: "\(path).scales") else {
            throw problem("\(path).scales", .missing)
        }
        let configured = configuration.quantization?.defaultFormat
        guard words.shape.count == 2, words.shape[0] == rows, scales.shape.count == 2,
            scales.shape[0] == rows, scales.shape[1] > 0, words.shape[1] > 0
        else {
            let bits = configured?.bits ?? 4
            throw problem(
                weight,
                .wrongShape(expected: [rows, columns * bits / 32], found: words.shape))
        }
        let stored = QuantizationFormat(
            bits: words.shape[1] * 32 / columns, groupSize: columns / scales.shape[1])
        if case .format(let wanted) = exception, wanted != stored {
            throw problem(
                weight,
                .quantizationMismatch(
                    configuredBits: wanted.bits, configuredGroupSize: wanted.groupSize,
                    foundBits: stored.bits, foundGroupSize: stored.groupSize))
        }
        guard stored.isSupported, words.shape[1] * 32 == columns * stored.bits,
            scales.shape[1] * stored.groupSize == columns
        else {
            throw problem(
                weight,
                .unsupportedQuantization(bits: stored.bits, groupSize: stored.groupSize))
        }
        return stored
    }

    private func denseMatrix(
        _ path: String, rows: Int, columns: Int
    ) throws(FormatError) -> WeightMatrix {
        let name = "\(path).weight"
        if case .format(let format) = configuration.quantization?.exceptions[path] {
            throw problem(
                "\(path).scales",
                .missingScales(bits: format.bits, groupSize: format.groupSize))
        }
        let (file, entry) = try entry(name, shape: [rows, columns])
        guard let format = entry.type.floatFormat else {
            throw problem(
                name, .wrongType(expected: ["F32", "F16", "BF16"], found: entry.type.rawValue))
        }
        defer { withExtendedLifetime(shards) {} }
        return WeightMatrix(
            dense: try file.bytes(of: name), format: format, rows: rows, columns: columns)
    }

    /// The file and the header entry of a tensor.
    func tensor(_ name: String) -> (SafetensorsFile, TensorEntry)? {
        guard let file = shards.file(of: name), let entry = file.tensors[name] else { return nil }
        return (file, entry)
    }

    private func entry(
        _ name: String, shape: [Int]
    ) throws(FormatError) -> (SafetensorsFile, TensorEntry) {
        guard let (file, entry) = tensor(name) else { throw problem(name, .missing) }
        guard entry.shape == shape else {
            throw problem(name, .wrongShape(expected: shape, found: entry.shape))
        }
        return (file, entry)
    }

    private func problem(_ name: String, _ problem: TensorProblem) -> FormatError {
        .tensor(path: shards.file(of: name)?.url.path ?? url.path, name: name, problem: problem)
    }
}
