import CircadiaFiles
import Foundation

/// Rotary scaling of type `llama3`, from Llama 3.1's recipe for long contexts.
package struct RopeScaling: Sendable, Equatable {
    /// The divisor of low frequencies.
    package var factor: Double
    /// Wavelengths above `originalContextLength` / this value are scaled fully.
    package var lowFrequencyFactor: Double
    /// Wavelengths below `originalContextLength` / this value are not scaled.
    package var highFrequencyFactor: Double
    /// The context length that the model was first trained with.
    package var originalContextLength: Int

    /// Creates a scaling.
    package init(
        factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double,
        originalContextLength: Int
    ) {
        self.factor = factor
        self.lowFrequencyFactor = lowFrequencyFactor
        self.highFrequencyFactor = highFrequencyFactor
        self.originalContextLength = originalContextLength
    }
}

/// The shape of a Llama, from `config.json`.
package struct ModelConfiguration: Sendable, Equatable {
    /// `model_type`: always `llama`.
    package var modelType: String
    /// Width of the residual stream.
    package var hiddenSize: Int
    /// Width inside the MLP.
    package var intermediateSize: Int
    /// Number of blocks.
    package var layerCount: Int
    /// Query heads.
    package var headCount: Int
    /// Key and value heads; divides `headCount`.
    package var kvHeadCount: Int
    /// Elements per head; need not equal `hiddenSize / headCount`.
    package var headDim: Int
    /// Rows of the embedding.
    package var vocabularySize: Int
    /// The epsilon that RMSNorm adds to the mean square.
    package var rmsNormEpsilon: Float
    /// Base of the rotary frequencies.
    package var ropeTheta: Double
    /// The rotary scaling; nil for none.
    package var ropeScaling: RopeScaling?
    /// `max_position_embeddings`.
    package var contextLength: Int
    /// Whether the embedding is also the output head.
    package var tiesWordEmbeddings: Bool
    /// The quantisation of the weights; nil if they are dense.
    package var quantization: QuantizationScheme?
    /// Tokens that end a generation, from `generation_config.json` or else `config.json`.
    package var endOfSequenceIDs: [Int32]

    /// Reads `config.json`, and `generation_config.json` if present, from a model directory.
    ///
    /// - Throws: `FileError.missingFile`, `FileError.malformedJSON` or `FormatError.configuration`.
    package init(directory: URL) throws {
        let url = directory.appendingPathComponent("config.json")
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw FileError.missingFile(path: url.path, purpose: "the model's configuration")
        }
        try self.init(json: try JSONValue(contentsOf: url), path: url.path)
        let generation = directory.appendingPathComponent("generation_config.json")
        if FileManager.default.fileExists(atPath: generation.path) {
            let ids = Self.tokenIDs(try JSONValue(contentsOf: generation)["eos_token_id"])
            if !ids.isEmpty { endOfSequenceIDs = ids }
        }
    }

    /// Reads the contents of a `config.json`; `path` is for messages.
    ///
    /// - Throws: `FormatError.configuration`.
    package init(json: JSONValue, path: String) throws(FormatError) {
        do throws(ConfigurationProblem) {
            self = try Self.read(ConfigurationReader(json))
        } catch {
            throw .configuration(path: path, problem: error)
        }
    }

    private init(modelType: String, reader: ConfigurationReader) throws(ConfigurationProblem) {
        let sizes = 1...(1 << 24)
        self.modelType = modelType
        hiddenSize = try reader.integer("hidden_size", in: sizes)
        intermediateSize = try reader.integer("intermediate_size", in: sizes)
        layerCount = try reader.integer("num_hidden_layers", in: 1...4096)
        headCount = try reader.integer("num_attention_heads", in: 1...65536)
        kvHeadCount = try reader.integer("num_key_value_heads", in: 1...65536, else: headCount)
        headDim = try reader.integer("head_dim", in: 2...65536, else: hiddenSize / headCount)
        vocabularySize = try reader.integer("vocab_size", in: sizes)
        rmsNormEpsilon = Float(try reader.number("rms_norm_eps", in: 0...1))
        let rope = reader.object["rope_parameters"]?.objectValue
        let theta = rope?["rope_theta"]?.doubleValue
        ropeTheta = try reader.number("rope_theta", in: 1...1e12, else: theta ?? 10_000)
        contextLength = try reader.integer(
            "max_position_embeddings", in: 1...(1 << 30), else: 2048)
        tiesWordEmbeddings = try reader.boolean("tie_word_embeddings", else: true)
        ropeScaling = try Self.ropeScaling(reader)
        quantization = try Self.quantization(reader)
        endOfSequenceIDs = Self.tokenIDs(reader.object["eos_token_id"])
    }

    private static func read(
        _ reader: ConfigurationReader
    ) throws(ConfigurationProblem) -> ModelConfiguration {
        guard let modelType = reader.object["model_type"]?.stringValue else {
            throw .missingKey("model_type")
        }
        guard modelType == "llama" else { throw .unknownArchitecture(modelType) }
        let configuration = try ModelConfiguration(modelType: modelType, reader: reader)
        for key in ["attention_bias", "mlp_bias", "rope_traditional"]
        where try reader.boolean(key, else: false) {
            throw .unsupportedFeature(key: key, value: "true")
        }
        let activation = reader.object["hidden_act"]?.stringValue ?? "silu"
        guard activation == "silu" else {
            throw .unsupportedFeature(key: "hidden_act", value: activation)
        }
        guard configuration.headCount.isMultiple(of: configuration.kvHeadCount) else {
            throw .badValue(
                key: "num_key_value_heads",
                expected: "a divisor of num_attention_heads (\(configuration.headCount))",
                found: "\(configuration.kvHeadCount)")
        }
        guard configuration.headDim.isMultiple(of: 2) else {
            throw .badValue(
                key: "head_dim", expected: "an even number", found: "\(configuration.headDim)")
        }
        return configuration
    }

    private static func ropeScaling(
        _ reader: ConfigurationReader
    ) throws(ConfigurationProblem) -> RopeScaling? {
        let isOld = reader.object["rope_scaling"]?.objectValue != nil
        let key = isOld ? "rope_scaling" : "rope_parameters"
        guard let object = reader.object[key]?.objectValue else { return nil }
        let scaling = ConfigurationReader(object, prefix: "\(key).")
        let type = object["rope_type"]?.stringValue ?? object["type"]?.stringValue ?? "default"
        if type == "default" { return nil }
        guard type == "llama3" else { throw .unknownRopeScaling(type) }
        let low = try scaling.number("low_freq_factor", in: 1e-3...1e6, else: 1)
        let high = try scaling.number("high_freq_factor", in: 1e-3...1e6, else: 4)
        guard high > low else {
            throw .badValue(
                key: "\(key).high_freq_factor", expected: "more than low_freq_factor (\(low))",
                found: "\(high)")
        }
        return RopeScaling(
            factor: try scaling.number("factor", in: 1e-3...1e6), lowFrequencyFactor: low,
            highFrequencyFactor: high,
            originalContextLength: try scaling.integer(
                "original_max_position_embeddings", in: 1...(1 << 30), else: 8192))
    }

    private static func quantization(
        _ reader: ConfigurationReader
    ) throws(ConfigurationProblem) -> QuantizationScheme? {
        let value = reader.object["quantization"] ?? reader.object["quantization_config"]
        guard let value, value != .null else { return nil }
        return try QuantizationScheme(json: value)
    }

    private static func tokenIDs(_ value: JSONValue?) -> [Int32] {
        let values = value?.arrayValue ?? (value.map { [$0] } ?? [])
        return values.compactMap { $0.intValue.flatMap { Int32(exactly: $0) } }
    }
}

/// Reads typed values from a configuration object; errors name the key.
struct ConfigurationReader {
    let object: JSONObject
    let prefix: String

    init(_ json: JSONValue) throws(ConfigurationProblem) {
        guard case .object(let object) = json else { throw .notAnObject }
        self.init(object, prefix: "")
    }

    init(_ object: JSONObject, prefix: String) {
        self.object = object
        self.prefix = prefix
    }

    /// The value of a key; null counts as absent, as Python's optional fields do.
    private func value(_ key: String) -> JSONValue? {
        let value = object[key]
        return value == .null ? nil : value
    }

    func integer(
        _ key: String, in range: ClosedRange<Int>, else fallback: Int? = nil
    ) throws(ConfigurationProblem) -> Int {
        guard let value = value(key) ?? fallback.map({ .integer($0) }) else {
            throw .missingKey(prefix + key)
        }
        guard let integer = value.intValue, range.contains(integer) else {
            throw .badValue(
                key: prefix + key,
                expected: "an integer from \(range.lowerBound) to \(range.upperBound)",
                found: value.text())
        }
        return integer
    }

    func number(
        _ key: String, in range: ClosedRange<Double>, else fallback: Double? = nil
    ) throws(ConfigurationProblem) -> Double {
        guard let value = value(key) ?? fallback.map({ .number($0) }) else {
            throw .missingKey(prefix + key)
        }
        guard let number = value.doubleValue, range.contains(number) else {
            throw .badValue(
                key: prefix + key,
                expected: "a number from \(range.lowerBound) to \(range.upperBound)",
                found: value.text())
        }
        return number
    }

    func boolean(_ key: String, else fallback: Bool) throws(ConfigurationProblem) -> Bool {
        guard let value = value(key) else { return fallback }
        guard let boolean = value.boolValue else {
            throw .badValue(key: prefix + key, expected: "true or false", found: value.text())
        }
        return boolean
    }
}
