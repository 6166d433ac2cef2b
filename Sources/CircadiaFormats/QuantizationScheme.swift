import CircadiaFiles

/// Bits and group size of affine-quantised weights.
package struct QuantizationFormat: Sendable, Equatable, Hashable {
    /// 4 or 8.
    package var bits: Int
    /// Columns that share a scale and a bias: 32, 64 or 128.
    package var groupSize: Int

    /// Creates a format. `isSupported` says whether kernels support it.
    package init(bits: Int, groupSize: Int) {
        self.bits = bits
        self.groupSize = groupSize
    }

    /// Whether kernels support it.
    package var isSupported: Bool {
        Self.supportedBits.contains(bits) && Self.supportedGroupSizes.contains(groupSize)
    }

    static let supportedBits = [4, 8]
    static let supportedGroupSizes = [32, 64, 128]
}

/// The `quantization` entry of `config.json`: a default and exceptions by module path.
///
/// A module without an exception is quantised if `<path>.scales` exists.
package struct QuantizationScheme: Sendable, Equatable {
    /// The exception of a module.
    package enum Exception: Sendable, Equatable {
        /// Quantised, in this format.
        case format(QuantizationFormat)
        /// Not quantised.
        case dense
    }

    /// The format of modules without an exception.
    package var defaultFormat: QuantizationFormat
    /// Exceptions by module path, such as `model.embed_tokens`.
    package var exceptions: [String: Exception]

    /// Creates a scheme.
    package init(defaultFormat: QuantizationFormat, exceptions: [String: Exception] = [:]) {
        self.defaultFormat = defaultFormat
        self.exceptions = exceptions
    }

    /// The value of `quantization` (and of `quantization_config`).
    package var json: JSONValue {
        var object: JSONObject = [
            "group_size": .integer(defaultFormat.groupSize), "bits": .integer(defaultFormat.bits),
        ]
        for (path, exception) in exceptions.sorted(by: { $0.key < $1.key }) {
            switch exception {
            case .dense: object[path] = .bool(false)
            case .format(let format):
                object[path] = .object([
                    "group_size": .integer(format.groupSize), "bits": .integer(format.bits),
                ])
            }
        }
        return .object(object)
    }

    init(json: JSONValue) throws(ConfigurationProblem) {
        guard case .object(let object) = json else {
            throw .badValue(key: "quantization", expected: "an object", found: json.text())
        }
        defaultFormat = try Self.format(object, module: "quantization")
        exceptions = [:]
        for (path, value) in object.members {
            switch value {
            case .bool(false): exceptions[path] = .dense
            case .object(let entry):
                exceptions[path] = .format(try Self.format(entry, module: path))
            default: break
            }
        }
    }

    private static func format(
        _ object: JSONObject, module: String
    ) throws(ConfigurationProblem) -> QuantizationFormat {
        if let mode = object["mode"], mode != .string("affine") {
            throw .unknownQuantizationMode(module: module, mode: mode.stringValue ?? mode.text())
        }
        if let method = object["quant_method"]?.stringValue {
            throw .unknownQuantizationMode(module: module, mode: method)
        }
        guard let bits = object["bits"]?.intValue else { throw .missingKey("\(module).bits") }
        guard let groupSize = object["group_size"]?.intValue else {
            throw .missingKey("\(module).group_size")
        }
        guard QuantizationFormat.supportedBits.contains(bits) else {
            throw .unsupportedBits(module: module, bits: bits)
        }
        guard QuantizationFormat.supportedGroupSizes.contains(groupSize) else {
            throw .unsupportedGroupSize(module: module, groupSize: groupSize)
        }
        return QuantizationFormat(bits: bits, groupSize: groupSize)
    }
}

extension ConfigurationProblem: Error {}
