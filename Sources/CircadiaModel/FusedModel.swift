import CircadiaFiles
import CircadiaFormats
import CircadiaKernels
import Foundation

/// A model directory with an adapter's product added to dequantised weights.
///
/// The sum is made in f32 and rounded once. It is not quantised again: steps of 4 bits are larger
/// than most of what an adapter adds, which would be lost.
package enum FusedModel {
    /// Rows that are dequantised together; never a whole matrix.
    private static let chunkRows = 64

    /// Writes the model in one atomic step.
    ///
    /// - Parameters:
    ///   - directory: the base model.
    ///   - adapter: made for it; nil only dequantises.
    ///   - format: of every tensor.
    ///   - target: the directory; weights of another model in it go.
    ///   - progress: called with the share that is done.
    /// - Throws: `ModelError.format`.
    package static func write(
        _ directory: ModelDirectory, adapter: LoRAAdapter?, format: SafetensorsType = .f16,
        to target: URL, progress: ((Double) -> Void)? = nil
    ) throws {
        precondition(format == .f16 || format == .f32, "fused weights are f16 or f32")
        try DirectorySwap.replace(target, isObsolete: isObsolete) {
            (folder) throws in
            try copyOtherFiles(directory.url, to: folder)
            try writeConfiguration(directory, format, to: folder)
            try writeWeights(directory, adapter, format, to: folder, progress)
        }
    }

    private static func isObsolete(_ name: String) -> Bool {
        name.hasSuffix(".safetensors") || name.hasSuffix(".safetensors.index.json")
    }

    /// The tokenizer and whatever else belongs to the model.
    private static func copyOtherFiles(_ source: URL, to folder: URL) throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: source.path)) ?? []
        for name in names.sorted() {
            let isWanted =
                (name.hasPrefix("tokenizer") || name.hasSuffix(".json")
                    || name.hasSuffix(".jinja") || name.hasSuffix(".txt"))
                && name != "config.json" && !isObsolete(name) && !name.hasPrefix(".")
            if !isWanted { continue }
            do {
                try FileManager.default.copyItem(
                    at: source.appendingPathComponent(name),
                    to: folder.appendingPathComponent(name))
            } catch {
                throw FileError.unwritable(
                    path: folder.appendingPathComponent(name).path,
                    code: SystemError.code(of: error))
            }
        }
    }

    private static func writeConfiguration(
        _ directory: ModelDirectory, _ format: SafetensorsType, to folder: URL
    ) throws {
        let source = directory.url.appendingPathComponent("config.json")
        guard var object = try JSONValue(contentsOf: source).objectValue else { return }
        object["quantization"] = nil
        object["quantization_config"] = nil
        object["torch_dtype"] = .string(format == .f16 ? "float16" : "float32")
        if object["architectures"] == nil {
            object["architectures"] = .array([.string("LlamaForCausalLM")])
        }
        try DurableFile.replace(
            folder.appendingPathComponent("config.json"),
            with: JSONValue.object(object).text(indent: 2) + "\n", mode: 0o644)
    }

    /// A tensor to come: a norm, or a matrix with or without an adapter.
    private struct Source {
        var name: String
        var rows: Int
        var columns: Int
        var isVector = false
        var adapted: (layer: Int, projection: Projection)?

        var path: String { String(name.dropLast(".weight".count)) }
    }

    private static func sources(_ model: ModelConfiguration) -> [Source] {
        let hidden = model.hiddenSize
        var sources = [
            Source(
                name: "model.embed_tokens.weight", rows: model.vocabularySize, columns: hidden)
        ]
        for layer in 0..<model.layerCount {
            for norm in ["input_layernorm", "post_attention_layernorm"] {
                sources.append(
                    Source(
                        name: "model.layers.\(layer).\(norm).weight", rows: 1, columns: hidden,
                        isVector: true))
            }
            for projection in Projection.allCases {
                sources.append(
                    Source(
                        name: projection.path(layer: layer) + ".weight",
                        rows: projection.outputs(of: model),
                        columns: projection.inputs(of: model), adapted: (layer, projection)))
            }
        }
        sources.append(
            Source(name: "model.norm.weight", rows: 1, columns: hidden, isVector: true))
        if !model.tiesWordEmbeddings {
            sources.append(
                Source(name: "lm_head.weight", rows: model.vocabularySize, columns: hidden))
        }
        return sources
    }

    private static func writeWeights(
        _ directory: ModelDirectory, _ adapter: LoRAAdapter?, _ format: SafetensorsType,
        to folder: URL, _ progress: ((Double) -> Void)?
    ) throws {
        let sources = sources(directory.configuration)
        let total = Double(sources.reduce(0) { $0 + $1.rows * $1.columns })
        var done = 0
        try SafetensorsWriter.write(
            sources.map {
                TensorDescription(
                    name: $0.name, type: format,
                    shape: $0.isVector ? [$0.columns] : [$0.rows, $0.columns])
            }, to: folder.appendingPathComponent("model.safetensors")
        ) { (index, sink) throws in
            let source = sources[index]
            if source.isVector {
                let vector = try directory.vector(source.name, count: source.columns)
                try Self.sink(vector.pointer, count: source.columns, format, sink)
            } else {
                let matrix = try directory.weightMatrix(
                    source.path, rows: source.rows, columns: source.columns)
                let pair = source.adapted.flatMap { adapter?[$0.layer, $0.projection] }
                let rows = AdaptedRows(
                    weight: matrix, pair: pair, scale: adapter?.scale ?? 0, chunk: chunkRows)
                for start in stride(from: 0, to: source.rows, by: chunkRows) {
                    let count = min(chunkRows, source.rows - start)
                    let values = rows.fused(start..<start + count)
                    try Self.sink(values, count: count * source.columns, format, sink)
                }
            }
            done += source.rows * source.columns
            progress?(Double(done) / total)
        }
    }

    private static func sink(
        _ values: UnsafePointer<Float>, count: Int, _ format: SafetensorsType,
        _ sink: SafetensorsWriter.Sink
    ) throws {
        if format == .f32 {
            return try sink(UnsafeRawBufferPointer(start: values, count: 4 * count))
        }
        let halves = AlignedBuffer<UInt16>(uninitializedCount: count)
        for index in 0..<count { halves.pointer[index] = HalfPrecision.half(values[index]) }
        try sink(UnsafeRawBufferPointer(start: halves.pointer, count: 2 * count))
    }
}
