import CircadiaFiles
import CircadiaKernels
import Foundation

/// A PEFT adapter directory: `adapter_config.json` and `adapter_model.safetensors`.
///
/// PEFT stores the transposes of MLX's factors, and its scale is `lora_alpha` / r (/ √r with
/// `use_rslora`). Format: github.com/huggingface/peft, `LoraConfig` and `save_and_load.py`.
package enum PEFTAdapter {
    /// The name of the weights file.
    package static let weightsName = "adapter_model.safetensors"
    /// The name of a weights file in pickle format, which is not read.
    static let pickleName = "adapter_model.bin"
    /// The prefix that PEFT puts before a module's path.
    private static let prefix = "base_model.model."

    /// Reads an adapter into MLX's form.
    ///
    /// - Throws: `FormatError` or `FileError`; `FormatError.adapter` if a tensor or a setting has
    ///   no counterpart.
    package static func read(
        _ url: URL, for model: ModelConfiguration
    ) throws -> (AdapterConfiguration, [String: AdapterTensor]) {
        let configurationURL = url.appendingPathComponent(AdapterDirectory.configurationName)
        guard FileManager.default.fileExists(atPath: configurationURL.path) else {
            throw FormatError.adapter(
                path: url.path,
                problem: .incomplete(missing: AdapterDirectory.configurationName))
        }
        let configuration = try PEFTConfiguration(
            json: try JSONValue(contentsOf: configurationURL), path: configurationURL.path)
        let file = try SafetensorsFile(path: url.appendingPathComponent(weightsName))
        var parts: [String: [Factor: AdapterTensor]] = [:]
        for name in file.tensors.keys.sorted() {
            guard let (path, factor) = takeApart(name) else {
                throw FormatError.adapter(path: file.url.path, problem: .unknownTensor(name))
            }
            let shape = file.tensors[name]?.shape ?? []
            guard shape.count == (factor == .magnitude ? 1 : 2) else {
                throw FormatError.adapter(
                    path: file.url.path,
                    problem: .wrongShape(
                        tensor: name, expected: factor == .magnitude ? [0] : [0, 0], found: shape))
            }
            parts[path, default: [:]][factor] = AdapterTensor(
                shape: shape, values: try file.floats(of: name))
        }
        if parts.isEmpty { throw FormatError.adapter(path: file.url.path, problem: .empty) }
        var modules: [AdapterModule] = []
        do throws(AdapterProblem) {
            for (path, factors) in parts.sorted(by: { $0.key < $1.key }) {
                modules.append(try module(path, factors, configuration))
            }
        } catch {
            throw FormatError.adapter(path: file.url.path, problem: error)
        }
        let (result, tensors) = AdapterModule.unified(
            modules, layerCount: model.layerCount, dropout: configuration.dropout,
            otherMembers: configuration.origin)
        try AdapterDirectory.check(result, tensors, for: model, path: file.url.path)
        return (result, tensors)
    }

    /// Writes an MLX adapter as a PEFT directory, in one atomic step.
    ///
    /// - Parameters:
    ///   - configuration: the adapter's configuration.
    ///   - tensors: the tensors by full names.
    ///   - baseModel: the value of `base_model_name_or_path`.
    ///   - url: the directory; files of another adapter in it are removed.
    /// - Throws: `FileError.unwritable`.
    package static func write(
        _ configuration: AdapterConfiguration, _ tensors: [String: AdapterTensor],
        baseModel: String, to url: URL
    ) throws {
        let modules = AdapterModule.modules(of: configuration, tensors)
        var stored: [(name: String, tensor: AdapterTensor)] = []
        for module in modules {
            let path = "\(prefix)model.layers.\(module.layer).\(module.path)."
            stored.append((path + Factor.a.rawValue + ".weight", module.a.transposed))
            stored.append((path + Factor.b.rawValue + ".weight", module.b.transposed))
            if let magnitude = module.magnitude {
                stored.append((path + Factor.magnitude.rawValue, magnitude))
            }
        }
        let json = PEFTConfiguration.json(
            for: configuration, modules: modules, baseModel: baseModel)
        try DirectorySwap.replace(url, isObsolete: AdapterFormat.owns) {
            (directory) throws in
            try SafetensorsWriter.write(
                stored.map {
                    TensorDescription(name: $0.name, type: .f32, shape: $0.tensor.shape)
                }, metadata: ["format": "pt"], to: directory.appendingPathComponent(weightsName),
                mode: 0o600
            ) { (index, sink) throws in
                try stored[index].tensor.values.withUnsafeBytesTyped(sink)
            }
            try DurableFile.replace(
                directory.appendingPathComponent(AdapterDirectory.configurationName),
                with: json.text(indent: 2) + "\n")
        }
    }

    /// PEFT's names of the parts of an adapted module.
    private enum Factor: String, CaseIterable {
        /// `[rank, in]`.
        case a = "lora_A"
        /// `[out, rank]`.
        case b = "lora_B"
        /// `[out]`.
        case magnitude = "lora_magnitude_vector"
    }

    /// Splits `base_model.model.model.layers.3.mlp.up_proj.lora_A.weight` into path and factor. A
    /// raw `state_dict` also names the adapter: `lora_A.default.weight`.
    private static func takeApart(_ name: String) -> (path: String, factor: Factor)? {
        guard name.hasPrefix(prefix) else { return nil }
        for factor in Factor.allCases {
            guard let range = name.range(of: ".\(factor.rawValue)") else { continue }
            let rest = name[range.upperBound...].split(separator: ".")
            let isKnown =
                rest == ["weight"] || (rest.isEmpty && factor == .magnitude)
                || (rest.count == 2 && rest[1] == "weight")
            let path = String(name[..<range.lowerBound].dropFirst(prefix.count))
            return isKnown ? (path, factor) : nil
        }
        return nil
    }

    private static func module(
        _ path: String, _ factors: [Factor: AdapterTensor], _ configuration: PEFTConfiguration
    ) throws(AdapterProblem) -> AdapterModule {
        func name(_ factor: Factor) -> String { "\(prefix)\(path).\(factor.rawValue)" }
        guard let parts = AdapterTensorName(path + ".lora_a") else {
            throw .unknownTensor(name(.a))
        }
        guard let a = factors[.a] else {
            throw .missingPartner(tensor: name(.b), partner: name(.a))
        }
        guard let b = factors[.b] else {
            throw .missingPartner(tensor: name(.a), partner: name(.b))
        }
        let rank = configuration.rank(of: path)
        guard a.shape[0] == rank else {
            throw .wrongShape(tensor: name(.a), expected: [rank, a.shape[1]], found: a.shape)
        }
        guard b.shape[1] == rank else {
            throw .wrongShape(tensor: name(.b), expected: [b.shape[0], rank], found: b.shape)
        }
        if configuration.usesDoRA != (factors[.magnitude] != nil) {
            throw configuration.usesDoRA
                ? .missingPartner(tensor: name(.a), partner: name(.magnitude))
                : .unknownTensor(name(.magnitude))
        }
        return AdapterModule(
            layer: parts.layer, path: parts.module, a: a.transposed, b: b.transposed,
            magnitude: factors[.magnitude], scale: configuration.scale(of: path))
    }
}
