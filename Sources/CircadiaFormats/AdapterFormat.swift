import CircadiaFiles
import Foundation

/// The file format of an adapter.
package enum AdapterFormat: String, Sendable, CaseIterable {
    /// A directory with `adapters.safetensors`, as mlx_lm writes it. It is this program's own
    /// format.
    case mlx
    /// A directory with `adapter_model.safetensors`, as PEFT writes it.
    case peft
    /// A GGUF file, as llama.cpp reads it.
    case gguf

    /// Detects the format at a path.
    ///
    /// - Throws: `FormatError.adapter` with `.unknownFormat` or `.pickle`, or
    ///   `FileError.missingFile` if nothing is at the path.
    package static func detect(at url: URL) throws -> AdapterFormat {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) else {
            throw FileError.missingFile(
                path: url.path, purpose: "an adapter's directory or GGUF file")
        }
        guard isDirectory.boolValue else {
            let start = try? FileHandle(forReadingFrom: url).read(upToCount: 4)
            if start == Data("GGUF".utf8) { return .gguf }
            throw FormatError.adapter(path: url.path, problem: .unknownFormat)
        }
        func holds(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: url.appendingPathComponent(name).path)
        }
        if holds(AdapterDirectory.weightsName) { return .mlx }
        if holds(PEFTAdapter.weightsName) { return .peft }
        if holds(PEFTAdapter.pickleName) {
            throw FormatError.adapter(
                path: url.path, problem: .pickle(file: PEFTAdapter.pickleName))
        }
        throw FormatError.adapter(path: url.path, problem: .unknownFormat)
    }

    /// Reads an adapter of any format into MLX's form. It computes the same as before.
    ///
    /// - Parameters:
    ///   - url: a directory or a GGUF file.
    ///   - model: the adapter's base model; layers and widths are checked against it.
    /// - Returns: the configuration and the tensors by their full names.
    /// - Throws: `FormatError` or `FileError`.
    package static func read(
        _ url: URL, for model: ModelConfiguration
    ) throws -> (AdapterConfiguration, [String: AdapterTensor]) {
        switch try detect(at: url) {
        case .mlx: try AdapterDirectory.load(url, for: model)
        case .peft: try PEFTAdapter.read(url, for: model)
        case .gguf: try GGUFAdapter.read(url, for: model)
        }
    }

    /// Whether a file belongs to an adapter of some format. Such files must not remain from another
    /// adapter.
    static func owns(_ name: String) -> Bool {
        [
            AdapterDirectory.configurationName, AdapterDirectory.weightsName,
            PEFTAdapter.weightsName, PEFTAdapter.pickleName,
            // Written by other modules: what the old adapter was trained on, and its night.
            "training_manifest.json", "night.json",
        ].contains(name)
    }
}
