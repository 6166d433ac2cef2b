import CircadiaTestSupport
import Foundation

@testable import CircadiaFormats

/// A fresh directory, deleted with the object.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory
            .appendingPathComponent("circadia-formats-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// The URL of a name inside.
    func file(_ name: String) -> URL { url.appendingPathComponent(name) }

    /// Writes a file and returns its URL.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> URL {
        try Data(bytes).write(to: file(name))
        return file(name)
    }

    /// Writes a text file and returns its URL.
    @discardableResult
    func write(_ name: String, text: String) throws -> URL {
        try write(name, Array(text.utf8))
    }

    /// All names inside, hidden ones too.
    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted()
    }
}

/// The message of the error that `body` throws, with the folder's path left out.
func message<Result>(in folder: TemporaryFolder, _ body: () throws -> Result) -> String {
    do {
        _ = try body()
        return "no error"
    } catch {
        return "\(error)".replacingOccurrences(of: folder.url.path + "/", with: "")
            .replacingOccurrences(of: folder.url.path, with: ".")
    }
}

/// Little-endian bytes of values.
func littleEndian<Value: BitwiseCopyable>(_ values: [Value]) -> [UInt8] {
    values.withUnsafeBytes { Array($0) }
}

/// What the environment offers beyond this repository.
enum Surroundings {
    /// A Python with mlx, mlx_lm and transformers (`CIRCADIA_PEERS_PYTHON`).
    static let peersPython = variable("CIRCADIA_PEERS_PYTHON")
    /// The SmolLM2 GGUF file (`CIRCADIA_TEST_GGUF`).
    static let gguf = variable("CIRCADIA_TEST_GGUF")
    /// Whether packages may be downloaded (`CIRCADIA_TEST_PULL=1`).
    static let mayPull = variable("CIRCADIA_TEST_PULL") == "1"

    private static func variable(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Runs a Python script and returns what it printed; throws with its output where it failed.
    static func python(_ script: String, _ arguments: [String]) throws -> String {
        struct Failure: Error { var output: String }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: peersPython ?? "/usr/bin/python3")
        process.arguments = ["-c", script] + arguments
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let text = String(
            decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        let complaint = String(
            decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        if process.terminationStatus != 0 { throw Failure(output: text + complaint) }
        return text
    }
}
