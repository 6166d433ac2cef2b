import CircadiaFiles
import CircadiaKernels
import Foundation

/// An MLX adapter directory: `adapter_config.json` and `adapters.safetensors`.
///
/// An adapter is present if both files exist. A save replaces both in one step. At any moment, also
/// after a kill, a reader finds the old adapter or the new one.
package enum AdapterDirectory {
    /// The name of the configuration file.
    package static let configurationName = "adapter_config.json"
    /// The name of the weights file.
    package static let weightsName = "adapters.safetensors"

    /// Whether both files exist.
    package static func isPresent(at url: URL) -> Bool {
        DirectorySwap.recover(url)
        return [configurationName, weightsName].allSatisfy {
            FileManager.default.fileExists(atPath: url.appendingPathComponent($0).path)
        }
    }

    /// Reads and validates an adapter.
    ///
    /// - Parameters:
    ///   - url: the directory.
    ///   - model: if given, layers and widths are checked against it.
    /// - Returns: the configuration and the tensors by their full names.
    /// - Throws: `FormatError` or `FileError`; `FormatError.adapter` if the parts do not fit
    ///   together.
    package static func load(
        _ url: URL, for model: ModelConfiguration? = nil
    ) throws -> (AdapterConfiguration, [String: AdapterTensor]) {
        DirectorySwap.recover(url)
        let configurationURL = url.appendingPathComponent(configurationName)
        let weightsURL = url.appendingPathComponent(weightsName)
        for file in [configurationURL, weightsURL]
        where !FileManager.default.fileExists(atPath: file.path) {
            throw FormatError.adapter(
                path: url.path, problem: .incomplete(missing: file.lastPathComponent))
        }
        let configuration = try AdapterConfiguration(
            json: try JSONValue(contentsOf: configurationURL), path: configurationURL.path)
        let file = try SafetensorsFile(path: weightsURL)
        var tensors: [String: AdapterTensor] = [:]
        for (name, entry) in file.tensors {
            tensors[name] = AdapterTensor(
                shape: entry.shape, values: try file.floats(of: name))
        }
        do throws(AdapterProblem) {
            try validate(tensors, configuration, model)
        } catch {
            throw FormatError.adapter(path: weightsURL.path, problem: error)
        }
        return (configuration, tensors)
    }

    /// Writes an adapter in one atomic, durable step.
    ///
    /// A complete directory is built next to the target, synced, and exchanged with it. Other files
    /// of the target stay. Only their owner can read the files.
    ///
    /// - Parameters:
    ///   - configuration: the contents of `adapter_config.json`.
    ///   - tensors: the tensors by full names, written as F32.
    ///   - model: if given, layers and widths are checked against it.
    ///   - attachments: further files by name, which change in the same step.
    ///   - url: the directory; missing parent directories are created.
    /// - Throws: `FormatError` or `FileError`. The old adapter then stays intact.
    package static func save(
        _ configuration: AdapterConfiguration, _ tensors: [String: AdapterTensor],
        for model: ModelConfiguration? = nil, attachments: [String: [UInt8]] = [:], to url: URL
    ) throws {
        do throws(AdapterProblem) {
            try validate(tensors, configuration, model)
        } catch {
            throw FormatError.adapter(path: url.path, problem: error)
        }
        try DirectorySwap.replace(url, isObsolete: AdapterFormat.owns) {
            (directory) throws in
            let names = tensors.keys.sorted()
            let descriptions = names.map {
                TensorDescription(name: $0, type: .f32, shape: tensors[$0]?.shape ?? [])
            }
            try SafetensorsWriter.write(
                descriptions, to: directory.appendingPathComponent(weightsName), mode: 0o600
            ) { (index, sink) throws in
                try (tensors[names[index]]?.values ?? []).withUnsafeBytesTyped(sink)
            }
            try DurableFile.replace(
                directory.appendingPathComponent(configurationName),
                with: configuration.json.text(indent: 4) + "\n")
            for (name, bytes) in attachments.sorted(by: { $0.key < $1.key }) {
                try DurableFile.replace(directory.appendingPathComponent(name), with: bytes)
            }
        }
    }

    /// Replaces an adapter by a copy of another one, in one atomic, durable step.
    ///
    /// - Parameters:
    ///   - source: an adapter's directory; all its regular files are copied.
    ///   - url: the directory to replace; its other files stay.
    /// - Throws: `FormatError` or `FileError`. The contents of `url` then stay intact.
    package static func copy(_ source: URL, to url: URL) throws {
        _ = try load(source)
        try DirectorySwap.replace(url, isObsolete: AdapterFormat.owns) {
            (directory) throws in
            let names: [String]
            do {
                names = try FileManager.default.contentsOfDirectory(atPath: source.path)
            } catch {
                throw FileError.unwritable(path: url.path, code: SystemError.code(of: error))
            }
            for name in names.sorted() where !name.hasPrefix(TemporaryItems.prefix) {
                let file = source.appendingPathComponent(name)
                var isDirectory: ObjCBool = false
                if FileManager.default.fileExists(atPath: file.path, isDirectory: &isDirectory),
                    isDirectory.boolValue
                {
                    continue
                }
                guard let bytes = try DurableFile.read(file) else {
                    throw FileError.unreadable(path: file.path, code: ENOENT)
                }
                try DurableFile.replace(directory.appendingPathComponent(name), with: bytes)
            }
        }
    }

    /// Removes an adapter's directory in one step: after a kill it is complete or gone. Nothing
    /// happens if it does not exist.
    ///
    /// - Throws: `FileError.unwritable`.
    package static func remove(_ url: URL) throws {
        let url = url.resolvingSymlinksInPath()
        removeStrays(beside: url)
        guard FileManager.default.fileExists(atPath: url.path) else { return }
        let temporary = TemporaryItems.name(beside: url)
        guard rename(url.path, temporary.path) == 0 else {
            throw FileError.unwritable(path: url.path, code: errno)
        }
        try Folder.synchronize(url.deletingLastPathComponent())
        try? FileManager.default.removeItem(at: temporary)
    }

    /// Checks an adapter that was read from another format; `path` is for messages.
    static func check(
        _ configuration: AdapterConfiguration, _ tensors: [String: AdapterTensor],
        for model: ModelConfiguration, path: String
    ) throws(FormatError) {
        do throws(AdapterProblem) {
            try validate(tensors, configuration, model)
        } catch {
            throw .adapter(path: path, problem: error)
        }
    }

    /// Deletes the temporary directories that killed processes left next to an adapter directory.
    ///
    /// `save` does so too. The directories of running processes stay.
    package static func removeStrays(beside url: URL) {
        DirectorySwap.recover(url)
        TemporaryItems.removeStrays(beside: url)
    }

    /// Checks names, pairs, shapes and values.
    private static func validate(
        _ tensors: [String: AdapterTensor], _ configuration: AdapterConfiguration,
        _ model: ModelConfiguration?
    ) throws(AdapterProblem) {
        if tensors.isEmpty { throw .empty }
        let rank = configuration.loraParameters.rank
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            guard var parts = AdapterTensorName(name),
                partners(configuration.kind).contains(parts.factor)
            else { throw .unknownTensor(name) }
            if let keys = configuration.loraParameters.keys, !keys.contains(parts.module) {
                throw .unknownTensor(name)
            }
            if let model {
                let layers = configuration.adaptedLayers(of: model.layerCount)
                guard layers.contains(parts.layer) else {
                    throw .layerOutOfRange(
                        tensor: name, first: layers.lowerBound, layerCount: model.layerCount)
                }
            }
            try validate(shape: tensor.shape, name: name, parts: parts, rank: rank, model: model)
            guard tensor.values.allSatisfy(\.isFinite) else { throw .notFinite(tensor: name) }
            for factor in partners(configuration.kind) where factor != parts.factor {
                parts.factor = factor
                if tensors[parts.fullName] == nil {
                    throw .missingPartner(tensor: name, partner: parts.fullName)
                }
            }
        }
    }

    /// The tensors of an adapted module.
    private static func partners(
        _ kind: AdapterConfiguration.Kind
    ) -> [AdapterTensorName.Factor] {
        kind == .dora ? [.a, .b, .magnitude] : [.a, .b]
    }

    private static func validate(
        shape: [Int], name: String, parts: AdapterTensorName, rank: Int, model: ModelConfiguration?
    ) throws(AdapterProblem) {
        let isA = parts.factor == .a
        let widths = model.flatMap { AdapterTensorName.widths(of: parts.module, in: $0) }
        let known = isA ? widths?.inputs : widths?.outputs
        // Without a model the width is free, but the rank is not.
        let width = known ?? (isA ? shape.first : shape.last) ?? 0
        let expected =
            switch parts.factor {
            case .a: [width, rank]
            case .b: [rank, width]
            case .magnitude: [width]
            }
        guard shape == expected else {
            throw .wrongShape(tensor: name, expected: expected, found: shape)
        }
    }
}

extension AdapterProblem: Error {}
