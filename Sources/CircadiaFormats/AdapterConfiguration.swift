import CircadiaFiles
import Foundation

/// The `adapter_config.json` of an MLX adapter. Unknown keys are kept.
package struct AdapterConfiguration: Codable, Sendable, Equatable {
    /// The parameters of an adapted module: `y = W x + scale · ((x A) B)`.
    package struct LoRAParameters: Sendable, Equatable {
        /// Columns of A.
        package var rank: Int
        /// The factor on the low-rank product. It is not alpha / rank.
        package var scale: Double
        /// The probability of dropout during training. Inference uses none.
        package var dropout: Double
        /// Module paths inside a block, such as `self_attn.q_proj`; nil means all seven.
        package var keys: [String]?
        /// Other members, kept.
        package var otherMembers: JSONObject

        /// Creates parameters with mlx_lm's defaults.
        package init(
            rank: Int = 8, scale: Double = 20, dropout: Double = 0, keys: [String]? = nil,
            otherMembers: JSONObject = JSONObject()
        ) {
            self.rank = rank
            self.scale = scale
            self.dropout = dropout
            self.keys = keys
            self.otherMembers = otherMembers
        }
    }

    /// The kind of adapter, `fine_tune_type`.
    package enum Kind: String, Sendable, Codable, CaseIterable {
        /// `W x + scale · ((x A) B)`.
        case lora
        /// LoRA's output times m / ‖W + scale · (A B)ᵀ‖, row by row (Liu et al. 2024,
        /// arXiv:2402.09353).
        case dora
    }

    /// LoRA or DoRA. `full` and other kinds are refused.
    package var kind: Kind
    /// The number of adapted blocks, counted from the last; less than 1 means all.
    package var numLayers: Int
    /// Rank, scale, dropout and keys.
    package var loraParameters: LoRAParameters
    /// Other members, kept.
    package var otherMembers: JSONObject

    /// Creates a configuration with mlx_lm's defaults.
    package init(
        kind: Kind = .lora, numLayers: Int = 16,
        loraParameters: LoRAParameters = LoRAParameters(), otherMembers: JSONObject = JSONObject()
    ) {
        self.kind = kind
        self.numLayers = numLayers
        self.loraParameters = loraParameters
        self.otherMembers = otherMembers
    }

    /// Reads the contents of an `adapter_config.json`; `path` is for messages.
    ///
    /// - Throws: `FormatError.configuration`.
    package init(json: JSONValue, path: String) throws(FormatError) {
        do throws(ConfigurationProblem) {
            try self.init(json: json)
        } catch {
            throw .configuration(path: path, problem: error)
        }
    }

    private init(json: JSONValue) throws(ConfigurationProblem) {
        let reader = try ConfigurationReader(json)
        let type = reader.object["fine_tune_type"]?.stringValue ?? "lora"
        guard let kind = Kind(rawValue: type) else { throw .unknownFineTuneType(type) }
        self.kind = kind
        numLayers = try reader.integer("num_layers", in: -1...4096)
        guard let parameters = reader.object["lora_parameters"]?.objectValue else {
            throw .missingKey("lora_parameters")
        }
        let nested = ConfigurationReader(parameters, prefix: "lora_parameters.")
        let dropout = try nested.number("dropout", in: 0...1, else: 0)
        loraParameters = LoRAParameters(
            rank: try nested.integer("rank", in: 1...65536),
            scale: try nested.number("scale", in: -1e6...1e6), dropout: dropout,
            keys: try Self.keys(parameters["keys"]), otherMembers: parameters)
        for key in ["rank", "scale", "dropout", "keys"] {
            loraParameters.otherMembers[key] = nil
        }
        otherMembers = reader.object
        for key in ["fine_tune_type", "num_layers", "lora_parameters"] { otherMembers[key] = nil }
    }

    private static func keys(_ value: JSONValue?) throws(ConfigurationProblem) -> [String]? {
        guard let value, value != .null else { return nil }
        let keys = value.arrayValue?.compactMap(\.stringValue)
        guard let keys, keys.count == value.arrayValue?.count else {
            throw .badValue(
                key: "lora_parameters.keys", expected: "an array of module paths",
                found: value.text())
        }
        return keys
    }

    /// The contents of `adapter_config.json`.
    package var json: JSONValue {
        var parameters: JSONObject = [
            "rank": .integer(loraParameters.rank), "scale": .number(loraParameters.scale),
            "dropout": .number(loraParameters.dropout),
        ]
        parameters["keys"] = loraParameters.keys.map { .array($0.map { .string($0) }) }
        for (key, value) in loraParameters.otherMembers.members { parameters[key] = value }
        var object: JSONObject = [
            "fine_tune_type": .string(kind.rawValue), "num_layers": .integer(numLayers),
            "lora_parameters": .object(parameters),
        ]
        for (key, value) in otherMembers.members { object[key] = value }
        return .object(object)
    }

    /// Reads a configuration through a decoder.
    package init(from decoder: any Decoder) throws {
        try self.init(json: try JSONValue(from: decoder), path: "adapter_config.json")
    }

    /// Writes the configuration through an encoder.
    package func encode(to encoder: any Encoder) throws {
        try json.encode(to: encoder)
    }

    /// This program's member about the training, which other programs skip.
    package var origin: JSONObject? {
        get { otherMembers["circadia"]?.objectValue }
        set { otherMembers["circadia"] = newValue.map { .object($0) } }
    }

    /// The adapted blocks of a model with `layerCount` blocks: the last `numLayers`, or all.
    package func adaptedLayers(of layerCount: Int) -> Range<Int> {
        (numLayers < 1 ? 0 : max(0, layerCount - numLayers))..<layerCount
    }
}
