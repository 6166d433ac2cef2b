import CircadiaFiles
import Foundation

/// Converts a GGUF file of the Llama architecture to an MLX directory without changing a value.
///
/// Q4_1, Q4_0 and Q8_0 become MLX's affine quantisation with groups of 32; F32, F16 and BF16 stay.
/// llama.cpp's interleaving of the q and k rows is undone, and the tokenizer fields become
/// `tokenizer.json` and `tokenizer_config.json`.
package enum GGUFImporter {
    /// Imports a file into a directory, which is created if it does not exist.
    ///
    /// `config.json` is written last, so an interrupted import does not look like a model.
    ///
    /// - Parameters:
    ///   - gguf: the file.
    ///   - directory: the target directory; files of the same names are replaced.
    ///   - progress: called with the completed part, 0 to 1.
    /// - Throws: `FormatError` or `FileError`.
    package static func importModel(
        gguf: URL, to directory: URL, progress: ((Double) -> Void)? = nil
    ) throws {
        let file = try GGUFFile(path: gguf)
        let plan: ImportPlan
        let tokenizer: GGUFTokenizer
        do throws(GGUFProblem) {
            plan = try ImportPlan(file)
            tokenizer = try GGUFTokenizer(file)
        } catch {
            throw FormatError.gguf(path: gguf.path, problem: error)
        }
        try Folder.create(directory, mode: 0o755)
        try plan.writeWeights(
            to: directory.appendingPathComponent("model.safetensors"), progress: progress)
        let texts = [
            ("tokenizer.json", tokenizer.tokenizerJSON.text()),
            ("tokenizer_config.json", tokenizer.configurationJSON.text(indent: 2)),
            ("generation_config.json", tokenizer.generationJSON.text(indent: 2)),
            ("config.json", plan.configurationJSON(tokenizer).text(indent: 2)),
        ]
        for (name, text) in texts {
            try DurableFile.replace(
                directory.appendingPathComponent(name), with: text + "\n", mode: 0o644)
        }
    }
}

/// The checked contents of a Llama's GGUF file, with the target of each tensor.
struct ImportPlan {
    let file: GGUFFile
    let hiddenSize: Int
    let intermediateSize: Int
    let layerCount: Int
    let headCount: Int
    let kvHeadCount: Int
    let headDim: Int
    let vocabularySize: Int
    let epsilon: Double
    let ropeTheta: Double
    let ropeScaling: RopeScaling?
    let contextLength: Int
    let isTied: Bool
    let tensors: [ImportedTensor]

    init(_ file: GGUFFile) throws(GGUFProblem) {
        self.file = file
        let reader = GGUFMetadataReader(file.metadata)
        let architecture = try reader.string("general.architecture")
        guard architecture == "llama" else { throw .unknownArchitecture(architecture) }
        hiddenSize = try reader.size("llama.embedding_length")
        intermediateSize = try reader.size("llama.feed_forward_length")
        layerCount = try reader.size("llama.block_count")
        headCount = try reader.size("llama.attention.head_count")
        kvHeadCount = try reader.size("llama.attention.head_count_kv", else: headCount)
        headDim = try reader.size("llama.attention.key_length", else: hiddenSize / headCount)
        contextLength = try reader.size("llama.context_length")
        epsilon = try reader.number("llama.attention.layer_norm_rms_epsilon")
        ropeTheta = try reader.number("llama.rope.freq_base", else: 10_000)
        let rotary = try reader.size("llama.rope.dimension_count", else: headDim)
        guard rotary == headDim, headDim.isMultiple(of: 2) else {
            throw .inconsistentMetadata(
                key: "llama.rope.dimension_count", expected: "\(headDim), the head dimension",
                found: "\(rotary)")
        }
        let scaling = file.metadata["llama.rope.scaling.type"]?.stringValue ?? "none"
        guard scaling == "none" else {
            throw .inconsistentMetadata(
                key: "llama.rope.scaling.type", expected: "none", found: scaling)
        }
        if let experts = file.metadata["llama.expert_count"]?.intValue, experts > 0 {
            throw .inconsistentMetadata(
                key: "llama.expert_count", expected: "0", found: "\(experts)")
        }
        guard let embedding = file.tensor("token_embd.weight") else {
            throw .missingTensor("token_embd.weight")
        }
        vocabularySize = embedding.shape[0]
        isTied = file.tensor("output.weight") == nil
        ropeScaling = try LlamaRopeFactors.scaling(
            file, headDim: headDim, theta: ropeTheta)
        tensors = try ImportedTensor.all(
            file,
            dimensions: ImportDimensions(
                hidden: hiddenSize, intermediate: intermediateSize, layers: layerCount,
                heads: headCount, kvHeads: kvHeadCount, headDim: headDim,
                vocabulary: vocabularySize))
    }

    /// The most frequent format is the default; other modules are exceptions.
    var quantization: QuantizationScheme? {
        var uses: [QuantizationFormat: Int] = [:]
        for tensor in tensors {
            if let format = tensor.source.type.quantization { uses[format, default: 0] += 1 }
        }
        let commonest = uses.max { ($0.value, $1.key.bits) < ($1.value, $0.key.bits) }
        guard let commonest else { return nil }
        var scheme = QuantizationScheme(defaultFormat: commonest.key)
        for tensor in tensors {
            if let format = tensor.source.type.quantization, format != commonest.key {
                scheme.exceptions[tensor.path] = .format(format)
            }
        }
        return scheme
    }

    /// The contents of `config.json`.
    func configurationJSON(_ tokenizer: GGUFTokenizer) -> JSONValue {
        var object: JSONObject = [
            "architectures": .array([.string("LlamaForCausalLM")]),
            "model_type": .string("llama"),
            "hidden_size": .integer(hiddenSize),
            "intermediate_size": .integer(intermediateSize),
            "num_hidden_layers": .integer(layerCount),
            "num_attention_heads": .integer(headCount),
            "num_key_value_heads": .integer(kvHeadCount),
            "head_dim": .integer(headDim),
            "vocab_size": .integer(vocabularySize),
            "max_position_embeddings": .integer(contextLength),
            "rms_norm_eps": .number(epsilon),
            "rope_theta": .number(ropeTheta),
            "rope_scaling": .null,
            "tie_word_embeddings": .bool(isTied),
            "hidden_act": .string("silu"),
            "attention_bias": .bool(false),
            "mlp_bias": .bool(false),
            "torch_dtype": .string("float16"),
        ]
        if let ropeScaling {
            object["rope_scaling"] = .object([
                "rope_type": .string("llama3"),
                "factor": .number(ropeScaling.factor),
                "low_freq_factor": .number(ropeScaling.lowFrequencyFactor),
                "high_freq_factor": .number(ropeScaling.highFrequencyFactor),
                "original_max_position_embeddings": .integer(ropeScaling.originalContextLength),
            ])
        }
        object["bos_token_id"] = tokenizer.beginID.map { .integer($0) }
        object["eos_token_id"] = tokenizer.endID.map { .integer($0) }
        object["pad_token_id"] = tokenizer.padID.map { .integer($0) }
        if let scheme = quantization {
            object["quantization"] = scheme.json
            object["quantization_config"] = scheme.json
        }
        return .object(object)
    }
}

/// Reads typed metadata; errors name the key.
struct GGUFMetadataReader {
    let metadata: [String: GGUFValue]

    init(_ metadata: [String: GGUFValue]) {
        self.metadata = metadata
    }

    func string(_ key: String) throws(GGUFProblem) -> String {
        guard let value = metadata[key]?.stringValue else {
            throw .missingMetadata(key: key, expected: "a string")
        }
        return value
    }

    func size(_ key: String, else fallback: Int? = nil) throws(GGUFProblem) -> Int {
        guard let value = metadata[key]?.intValue ?? fallback, 1...(1 << 24) ~= value else {
            throw .missingMetadata(key: key, expected: "a positive integer")
        }
        return value
    }

    func number(_ key: String, else fallback: Double? = nil) throws(GGUFProblem) -> Double {
        guard let value = metadata[key]?.doubleValue ?? fallback, value.isFinite, value > 0 else {
            throw .missingMetadata(key: key, expected: "a positive number")
        }
        return value
    }
}

/// Llama 3's rotary scaling, which GGUF stores as one divisor per frequency.
enum LlamaRopeFactors {
    /// The scaling whose divisors are in `rope_freqs.weight`; nil if there is no such tensor.
    static func scaling(
        _ file: GGUFFile, headDim: Int, theta: Double
    ) throws(GGUFProblem) -> RopeScaling? {
        guard let tensor = file.tensor("rope_freqs.weight") else { return nil }
        guard tensor.type == .f32, tensor.shape == [headDim / 2] else {
            throw .wrongShape(
                tensor: tensor.name, expected: [headDim / 2], found: tensor.shape)
        }
        let bytes = file.bytes(of: tensor)
        defer { withExtendedLifetime(file) {} }
        let factors = (0..<headDim / 2).map {
            Double(bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self))
        }
        guard let largest = factors.max(), largest >= 1 else { throw .unknownRopeFactors }
        if largest == 1 { return nil }
        let scaling = RopeScaling(
            factor: largest, lowFrequencyFactor: 1, highFrequencyFactor: 4,
            originalContextLength: 8192)
        for (index, factor) in factors.enumerated() {
            let expected = divisor(index, scaling, headDim: headDim, theta: theta)
            guard abs(factor - expected) <= 1e-4 * expected else { throw .unknownRopeFactors }
        }
        return scaling
    }

    /// The unscaled frequency divided by the scaled one.
    static func divisor(
        _ index: Int, _ scaling: RopeScaling, headDim: Int, theta: Double
    ) -> Double {
        let wavelength = 2 * Double.pi * pow(theta, 2 * Double(index) / Double(headDim))
        let ratio = Double(scaling.originalContextLength) / wavelength
        if ratio < scaling.lowFrequencyFactor { return scaling.factor }
        if ratio > scaling.highFrequencyFactor { return 1 }
        let smooth =
            (ratio - scaling.lowFrequencyFactor)
            / (scaling.highFrequencyFactor - scaling.lowFrequencyFactor)
        return 1 / ((1 - smooth) / scaling.factor + smooth)
    }
}
