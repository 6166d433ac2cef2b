import CircadiaFiles
import Foundation

/// The safetensors files of a model directory: one file, or shards that an index names.
final class ShardedWeights: Sendable {
    /// The files in the order of their names.
    let files: [SafetensorsFile]
    private let fileIndex: [String: Int]

    /// Opens `model.safetensors.index.json` with its shards, or else every `model*.safetensors`.
    init(directory: URL) throws {
        let index = directory.appendingPathComponent("model.safetensors.index.json")
        if FileManager.default.fileExists(atPath: index.path) {
            (files, fileIndex) = try Self.indexed(index, directory: directory)
        } else {
            (files, fileIndex) = try Self.listed(directory)
        }
    }

    /// The names of all tensors.
    var names: Set<String> { Set(fileIndex.keys) }

    /// The quantised modules: those with scales.
    var quantizedModules: Set<String> {
        let suffix = ".scales"
        return Set(
            fileIndex.keys.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }
        )
    }

    /// The file that holds a tensor.
    func file(of name: String) -> SafetensorsFile? { fileIndex[name].map { files[$0] } }

    /// The header entry of a tensor.
    func entry(of name: String) -> TensorEntry? { file(of: name)?.tensors[name] }

    private static func indexed(
        _ index: URL, directory: URL
    ) throws -> ([SafetensorsFile], [String: Int]) {
        guard let map = try JSONValue(contentsOf: index)["weight_map"]?.objectValue else {
            throw FormatError.configuration(path: index.path, problem: .missingKey("weight_map"))
        }
        var shardOfName: [String: String] = [:]
        for (name, value) in map.members {
            guard let shard = value.stringValue, !shard.isEmpty, !shard.contains("/") else {
                throw FormatError.configuration(
                    path: index.path,
                    problem: .badValue(
                        key: "weight_map.\(name)", expected: "a file name", found: value.text()))
            }
            shardOfName[name] = shard
        }
        let shards = Set(shardOfName.values).sorted()
        var files: [SafetensorsFile] = []
        for shard in shards {
            let url = directory.appendingPathComponent(shard)
            guard FileManager.default.fileExists(atPath: url.path) else {
                throw FileError.missingFile(
                    path: url.path, purpose: "a shard that \(index.path) names")
            }
            files.append(try SafetensorsFile(path: url))
        }
        var fileIndex: [String: Int] = [:]
        for (name, shard) in shardOfName {
            guard let position = shards.firstIndex(of: shard) else { continue }
            guard files[position].tensors[name] != nil else {
                throw FormatError.tensor(path: index.path, name: name, problem: .notInShard(shard))
            }
            fileIndex[name] = position
        }
        return (files, fileIndex)
    }

    private static func listed(
        _ directory: URL
    ) throws -> ([SafetensorsFile], [String: Int]) {
        let contents =
            (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        let names = contents.filter { $0.hasPrefix("model") && $0.hasSuffix(".safetensors") }
            .sorted()
        if names.isEmpty {
            throw FileError.missingFile(
                path: directory.appendingPathComponent("model.safetensors").path,
                purpose: "the model's weights")
        }
        var files: [SafetensorsFile] = []
        var fileIndex: [String: Int] = [:]
        for name in names {
            let file = try SafetensorsFile(path: directory.appendingPathComponent(name))
            for tensor in file.tensors.keys { fileIndex[tensor] = files.count }
            files.append(file)
        }
        return (files, fileIndex)
    }
}
