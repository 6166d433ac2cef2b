import CircadiaFiles
import CircadiaKernels
import Foundation

/// Writes MLX directories of any Llama shape with random weights, for benchmarks and tests.
///
/// Packed words are random bits. The scales keep activations of order one, so a forward pass takes
/// the same time as with trained weights and gives finite logits.
package enum RandomModel {
    /// The format and the seed of the weights.
    package struct Options: Sendable {
        /// 4 or 8, or nil for dense weights of `scaleFormat`.
        package var bits: Int? = 4
        /// 32, 64 or 128.
        package var groupSize = 64
        /// The dtype of scales, biases, norms and dense weights.
        package var scaleFormat = FloatFormat.bf16
        /// The seed. It alone decides the weights.
        package var seed: UInt64 = 0
        /// A directory whose tokenizer files are copied; nil for none.
        package var tokenizerDirectory: URL?
        /// The largest size of a shard in bytes.
        package var shardByteLimit = 5_000_000_000

        /// Creates options with the format of mlx-community's 4-bit models.
        package init() {}
    }

    /// Writes a model.
    ///
    /// - Parameters:
    ///   - configuration: the contents of a `config.json`; `options` replace its `quantization`.
    ///   - directory: the directory; created if it does not exist.
    ///   - options: format and seed.
    /// - Throws: `FormatError` or `FileError`.
    package static func write(
        configuration: JSONValue, to directory: URL, options: Options = Options()
    ) throws {
        let path = directory.appendingPathComponent("config.json").path
        guard var object = configuration.objectValue else {
            throw FormatError.configuration(path: path, problem: .notAnObject)
        }
        object["quantization"] = nil
        object["quantization_config"] = nil
        if let bits = options.bits {
            let scheme = QuantizationScheme(
                defaultFormat: QuantizationFormat(bits: bits, groupSize: options.groupSize))
            object["quantization"] = scheme.json
            object["quantization_config"] = scheme.json
        }
        let json = JSONValue.object(object)
        let model = try ModelConfiguration(json: json, path: path)
        try Folder.create(directory, mode: 0o755)
        try writeShards(tensors(of: model, options: options), to: directory, options: options)
        if let source = options.tokenizerDirectory { try copyTokenizer(source, to: directory) }
        try DurableFile.replace(
            directory.appendingPathComponent("config.json"), with: json.text(indent: 2) + "\n",
            mode: 0o644)
    }

    /// The `config.json` of Llama-3.2-3B. Change members for other sizes.
    package static let llama3B: JSONObject = [
        "architectures": .array([.string("LlamaForCausalLM")]), "model_type": .string("llama"),
        "hidden_size": .integer(3072), "intermediate_size": .integer(8192),
        "num_hidden_layers": .integer(28), "num_attention_heads": .integer(24),
        "num_key_value_heads": .integer(8), "head_dim": .integer(128),
        "vocab_size": .integer(128_256), "max_position_embeddings": .integer(131_072),
        "rms_norm_eps": .number(1e-5), "rope_theta": .number(500_000),
        "rope_scaling": .object([
            "factor": .number(32), "high_freq_factor": .number(4), "low_freq_factor": .number(1),
            "original_max_position_embeddings": .integer(8192), "rope_type": .string("llama3"),
        ]),
        "tie_word_embeddings": .bool(true), "attention_bias": .bool(false),
        "mlp_bias": .bool(false), "hidden_act": .string("silu"),
        "bos_token_id": .integer(128_000),
        "eos_token_id": .array([.integer(128_001), .integer(128_008), .integer(128_009)]),
    ]
}

extension RandomModel {
    /// The values of a tensor.
    private enum Filling {
        /// Random bits.
        case words
        /// Scales of this mean size.
        case scales(Float)
        /// `factor` times the scales with the same seed.
        case biases(mean: Float, factor: Float)
        /// Random values of this standard deviation.
        case dense(Float)
        /// Values close to one.
        case norm
    }

    private typealias Item = (tensor: TensorDescription, filling: Filling, stream: UInt64)

    private static func tensors(of model: ModelConfiguration, options: Options) -> [Item] {
        var list = ItemList(options: options)
        let queries = model.headCount * model.headDim
        let keys = model.kvHeadCount * model.headDim
        // As in GPT-2, so that the residual stream does not grow with depth.
        let residualGain = 1 / Float(2 * model.layerCount).squareRoot()
        list.matrix("model.embed_tokens", model.vocabularySize, model.hiddenSize)
        for layer in 0..<model.layerCount {
            let block = "model.layers.\(layer)"
            list.norm("\(block).input_layernorm", model.hiddenSize)
            list.matrix("\(block).self_attn.q_proj", queries, model.hiddenSize)
            list.matrix("\(block).self_attn.k_proj", keys, model.hiddenSize)
            list.matrix("\(block).self_attn.v_proj", keys, model.hiddenSize)
            list.matrix("\(block).self_attn.o_proj", model.hiddenSize, queries, gain: residualGain)
            list.norm("\(block).post_attention_layernorm", model.hiddenSize)
            list.matrix("\(block).mlp.gate_proj", model.intermediateSize, model.hiddenSize)
            list.matrix("\(block).mlp.up_proj", model.intermediateSize, model.hiddenSize)
            list.matrix(
                "\(block).mlp.down_proj", model.hiddenSize, model.intermediateSize,
                gain: residualGain)
        }
        list.norm("model.norm", model.hiddenSize)
        if !model.tiesWordEmbeddings {
            list.matrix("lm_head", model.vocabularySize, model.hiddenSize)
        }
        return list.items
    }

    /// The tensors of a model, one after the other; each draws from a stream of random numbers of its
    /// own.
    private struct ItemList {
        let options: Options
        private(set) var items: [Item] = []

        init(options: Options) { self.options = options }

        private var type: SafetensorsType {
            switch options.scaleFormat {
            case .f32: .f32
            case .f16: .f16
            case .bf16: .bf16
            }
        }

        /// A matrix `[rows, columns]` of standard deviation `gain / √columns`.
        mutating func matrix(_ path: String, _ rows: Int, _ columns: Int, gain: Float = 1) {
            let deviation = gain / Float(columns).squareRoot()
            guard let bits = options.bits else {
                add("\(path).weight", type, [rows, columns], .dense(deviation))
                return
            }
            // Uniform q of 2^bits values has deviation sqrt((4^bits − 1) / 12) and mean (2^bits −
            // 1) / 2. The bias removes the mean.
            let scale = deviation / ((Float(1 << (2 * bits)) - 1) / 12).squareRoot()
            let center = Float((1 << bits) - 1) / 2
            let groups = [rows, columns / options.groupSize]
            add("\(path).weight", .u32, [rows, columns * bits / 32], .words)
            add("\(path).scales", type, groups, .scales(scale))
            // From the stream of the scales, so that a bias belongs to its scale.
            add(
                "\(path).biases", type, groups, .biases(mean: scale, factor: -center),
                stream: items.count - 1)
        }

        /// A vector of `count` weights of a norm.
        mutating func norm(_ path: String, _ count: Int) {
            add("\(path).weight", type, [count], .norm)
        }

        private mutating func add(
            _ name: String, _ type: SafetensorsType, _ shape: [Int], _ filling: Filling,
            stream: Int? = nil
        ) {
            let tensor = TensorDescription(name: name, type: type, shape: shape)
            items.append((tensor, filling, UInt64(stream ?? items.count)))
        }
    }

    private static func writeShards(
        _ items: [Item], to directory: URL, options: Options
    ) throws {
        var shards: [[Item]] = [[]]
        var byteCount = 0
        for item in items {
            if byteCount > 0, byteCount + item.tensor.byteCount > options.shardByteLimit {
                shards.append([])
                byteCount = 0
            }
            shards[shards.count - 1].append(item)
            byteCount += item.tensor.byteCount
        }
        var map = JSONObject()
        for (number, shard) in shards.enumerated() {
            let name =
                shards.count == 1
                ? "model.safetensors"
                : "model-\(padded(number + 1))-of-\(padded(shards.count)).safetensors"
            try SafetensorsWriter.write(
                shard.map(\.tensor), to: directory.appendingPathComponent(name), isDurable: false
            ) { (index, sink) throws in
                try fill(shard[index], seed: options.seed, sink)
            }
            for item in shard { map[item.tensor.name] = .string(name) }
        }
        if shards.count == 1 { return }
        let total = items.reduce(0) { $0 + $1.tensor.byteCount }
        let index = JSONValue.object([
            "metadata": .object(["total_size": .integer(total)]), "weight_map": .object(map),
        ])
        try DurableFile.replace(
            directory.appendingPathComponent("model.safetensors.index.json"),
            with: index.text(indent: 2) + "\n", mode: 0o644)
    }

    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    /// Streams a tensor in parts of a few megabytes.
    private static func fill(
        _ item: Item, seed: UInt64, _ sink: SafetensorsWriter.Sink
    ) throws {
        var generator = RandomBits(seed: seed, stream: item.stream)
        var remaining = item.tensor.byteCount
        let size = item.tensor.type.byteCount
        var part = [UInt64](repeating: 0, count: min(1 << 19, (remaining + 7) / 8))
        while remaining > 0 {
            let byteCount = min(remaining, part.count * 8)
            if case .words = item.filling {
                for index in part.indices { part[index] = generator.next() }
            } else {
                part.withUnsafeMutableBytes { bytes in
                    for offset in stride(from: 0, to: byteCount, by: size) {
                        store(
                            value(item.filling, &generator), item.tensor.type, bytes, offset)
                    }
                }
            }
            try part.withUnsafeBytesTyped { (bytes) throws in
                try sink(UnsafeRawBufferPointer(rebasing: bytes[0..<byteCount]))
            }
            remaining -= byteCount
        }
    }

    private static func value(_ filling: Filling, _ generator: inout RandomBits) -> Float {
        let uniform = Float(generator.next() >> 40) * 0x1p-24
        switch filling {
        // Sizes differ by group and half of the scales are negative, as in real checkpoints.
        case .scales(let mean): return scale(mean, uniform)
        case .biases(let mean, let factor): return factor * scale(mean, uniform)
        case .dense(let deviation): return (uniform - 0.5) * deviation * Float(12).squareRoot()
        case .norm: return 0.9 + 0.2 * uniform
        case .words: return 0
        }
    }

    private static func scale(_ mean: Float, _ uniform: Float) -> Float {
        let signed = 2 * uniform - 1
        return mean * (0.75 * signed.sign.factor + 0.5 * signed)
    }

    private static func store(
        _ value: Float, _ type: SafetensorsType, _ bytes: UnsafeMutableRawBufferPointer,
        _ offset: Int
    ) {
        switch type {
        case .f16:
            bytes.storeBytes(of: HalfPrecision.half(value), toByteOffset: offset, as: UInt16.self)
        case .bf16:
            bytes.storeBytes(of: HalfPrecision.bfloat(value), toByteOffset: offset, as: UInt16.self)
        default: bytes.storeBytes(of: value, toByteOffset: offset, as: Float.self)
        }
    }

    private static func copyTokenizer(
        _ source: URL, to directory: URL
    ) throws {
        let names = [
            "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
            "chat_template.jinja",
        ]
        for name in names {
            let file = source.appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: file.path) else { continue }
            let contents = try MappedFile(file).withBytes { Array($0) }
            try DurableFile.replace(
                directory.appendingPathComponent(name), with: contents, mode: 0o644)
        }
    }
}

extension FloatingPointSign {
    /// 1 or −1.
    fileprivate var factor: Float { self == .plus ? 1 : -1 }
}

/// SplitMix64: a counter through a mixing function. It is fast and good enough for weights.
private struct RandomBits {
    private var state: UInt64

    init(seed: UInt64, stream: UInt64) {
        state = seed &* 0xD134_2543_DE82_EF95 &+ stream &* 0x9E37_79B9_7F4A_7C15 &+ 1
        state = next() ^ seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
