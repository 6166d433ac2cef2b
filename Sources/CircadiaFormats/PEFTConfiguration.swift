import CircadiaFiles
import Foundation

/// The part of a PEFT `adapter_config.json` that decides how the factors are used.
struct PEFTConfiguration {
    /// `r`, for modules without a pattern.
    let rank: Int
    /// `lora_alpha`, for modules without a pattern.
    let alpha: Double
    /// Whether alpha is divided by √r instead of r (Kalajdzievski 2023, arXiv:2312.03732).
    let usesRankStabilization: Bool
    /// Whether the adapter has magnitudes.
    let usesDoRA: Bool
    /// `lora_dropout`.
    let dropout: Double
    /// Ranks and alphas of modules, by regular expressions for the ends of their paths.
    private let rankPattern, alphaPattern: [(pattern: String, value: Double)]
    /// The adapter's origin, kept in MLX's configuration.
    let origin: JSONObject

    /// Reads the contents of an `adapter_config.json`; `path` is for messages.
    ///
    /// - Throws: `FormatError.configuration`, or `.adapter` for a setting without a counterpart.
    init(json: JSONValue, path: String) throws(FormatError) {
        do throws(ConfigurationProblem) {
            let reader = try ConfigurationReader(json)
            rank = try reader.integer("r", in: 1...65536)
            alpha = try reader.number("lora_alpha", in: -1e6...1e6)
            usesRankStabilization = try reader.boolean("use_rslora", else: false)
            usesDoRA = try reader.boolean("use_dora", else: false)
            dropout = try reader.number("lora_dropout", in: 0...1, else: 0)
            rankPattern = try Self.pattern("rank_pattern", reader)
            alphaPattern = try Self.pattern("alpha_pattern", reader)
        } catch {
            throw .configuration(path: path, problem: error)
        }
        do throws(AdapterProblem) {
            try Self.refuseUnknown(json)
        } catch {
            throw .adapter(path: path, problem: error)
        }
        var members: JSONObject = ["imported_from": .string("peft")]
        for key in ["base_model_name_or_path", "peft_version"] {
            if let value = json[key], value != .null { members[key] = value }
        }
        origin = ["circadia": .object(members)]
    }

    /// The rank of a module such as `model.layers.0.mlp.up_proj`.
    func rank(of path: String) -> Int {
        Self.match(path, rankPattern).flatMap { Int(exactly: $0) } ?? rank
    }

    /// The factor on the product of the module's factors.
    func scale(of path: String) -> Double {
        let rank = Double(rank(of: path))
        let alpha = Self.match(path, alphaPattern) ?? alpha
        return alpha / (usesRankStabilization ? rank.squareRoot() : rank)
    }

    private static func pattern(
        _ key: String, _ reader: ConfigurationReader
    ) throws(ConfigurationProblem) -> [(pattern: String, value: Double)] {
        guard let value = reader.object[key], value != .null else { return [] }
        guard let object = value.objectValue else {
            throw .badValue(key: key, expected: "an object of numbers", found: value.text())
        }
        var patterns: [(pattern: String, value: Double)] = []
        for (name, value) in object.members {
            guard let number = value.doubleValue else {
                throw .badValue(key: "\(key).\(name)", expected: "a number", found: value.text())
            }
            patterns.append((name, number))
        }
        return patterns
    }

    /// The value of the first pattern that matches the path, or its end after a dot.
    private static func match(
        _ path: String, _ patterns: [(pattern: String, value: Double)]
    ) -> Double? {
        patterns.first { pattern, _ in
            path.range(of: "^(?:.*\\.)?(?:\(pattern))$", options: .regularExpression) != nil
        }?.value
    }

    /// Refuses settings under which the modules would compute something else.
    private static func refuseUnknown(_ json: JSONValue) throws(AdapterProblem) {
        let harmless: [(key: String, values: [JSONValue])] = [
            ("peft_type", [.string("LORA")]), ("bias", [.string("none")]),
            ("fan_in_fan_out", [.bool(false)]), ("modules_to_save", [.array([])]),
            ("layer_replication", [.array([])]), ("lora_bias", [.bool(false)]),
            ("trainable_token_indices", [.array([])]), ("alora_invocation_tokens", [.array([])]),
            ("use_qalora", [.bool(false)]), ("target_parameters", [.array([])]),
        ]
        for (key, values) in harmless {
            guard let value = json[key], value != .null, !values.contains(value) else { continue }
            throw .unsupportedSetting(key: key, value: value.text())
        }
    }

    /// The `adapter_config.json` of an MLX adapter.
    ///
    /// If every adapted block has the same modules, the result names modules by their last parts
    /// and blocks by numbers. Otherwise it names every module by its whole path.
    static func json(
        for configuration: AdapterConfiguration, modules: [AdapterModule], baseModel: String
    ) -> JSONValue {
        let parameters = configuration.loraParameters
        let layers = Set(modules.map(\.layer)).sorted()
        let paths = AdapterTensorName.modules.filter { path in modules.contains { $0.path == path }
        }
        let isRegular = modules.count == layers.count * paths.count
        let targets =
            isRegular
            ? paths.map { String($0.split(separator: ".")[1]) }
            : modules.map { "model.layers.\($0.layer).\($0.path)" }
        let alpha = parameters.scale * Double(parameters.rank)
        return .object([
            "peft_type": .string("LORA"), "task_type": .string("CAUSAL_LM"),
            "base_model_name_or_path": .string(baseModel), "r": .integer(parameters.rank),
            "lora_alpha": Int(exactly: alpha).map { .integer($0) } ?? .number(alpha),
            "lora_dropout": .number(parameters.dropout),
            "target_modules": .array(targets.map { .string($0) }),
            "layers_to_transform": isRegular ? .array(layers.map { .integer($0) }) : .null,
            "use_dora": .bool(configuration.kind == .dora), "use_rslora": .bool(false),
            "bias": .string("none"), "fan_in_fan_out": .bool(false), "inference_mode": .bool(true),
            "init_lora_weights": .bool(true), "modules_to_save": .null,
        ])
    }
}
