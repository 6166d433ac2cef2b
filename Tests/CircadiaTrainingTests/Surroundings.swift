import CircadiaTestSupport
import Foundation

@testable import CircadiaHub
@testable import CircadiaTraining

/// What the environment offers beyond this repository.
enum Surroundings {
    /// A Python with mlx and mlx_lm (`CIRCADIA_PEERS_PYTHON`).
    static let peersPython = variable("CIRCADIA_PEERS_PYTHON")

    /// The default chat model, brought here unless it is; nil where that is not possible.
    static let chatModel: URL? = {
        if let present = try? ModelStore.resolve("smollm2-135m") { return present }
        guard (try? ModelStore.pull("smollm2-135m")) != nil else { return nil }
        return try? ModelStore.resolve("smollm2-135m")
    }()

    /// Whether that Python has torch with PEFT too.
    static let hasPEFT: Bool = {
        guard peersPython != nil, let folder = try? TemporaryFolder() else { return false }
        let script = folder.file("probe.py")
        guard (try? Data("import torch, peft".utf8).write(to: script)) != nil else { return false }
        return (try? python(script, [])) != nil
    }()

    /// A recorded file or a script of this test target.
    static func fixture(_ name: String) -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/\(name)")
    }

    /// Runs a script with the peers' Python; throws with its output where it failed.
    static func python(_ script: URL, _ arguments: [String]) throws {
        struct Failure: Error { var output: String }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: peersPython ?? "/usr/bin/python3")
        process.arguments = [script.path] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        if process.terminationStatus != 0 {
            throw Failure(output: String(decoding: data, as: UTF8.self))
        }
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
            .appendingPathComponent("circadia-training-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func file(_ name: String) -> URL { url.appendingPathComponent(name) }
}
