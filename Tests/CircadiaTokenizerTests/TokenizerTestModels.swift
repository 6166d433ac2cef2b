import CircadiaTestSupport
import Foundation

import CircadiaTokenizer

/// The real tokenizers that `make models` brings, and the peer that they are compared with.
enum TokenizerTestModels {
    static let smolLM2 = model("smollm2-135m")
    static let llama3 = model("llama-3.2-tokenizer")
    static let miniLM = model("all-minilm-l6-v2")

    /// This folder.
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

    /// A python that can import `tokenizers`, or nil.
    static let peerPython: URL? = {
        let named = ProcessInfo.processInfo.environment["CIRCADIA_PEERS_PYTHON"] ?? ""
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let onPath = path.split(separator: ":").map { "\($0)/python3" }
        let candidates = (named.isEmpty ? [] : [named]) + onPath
        return candidates.lazy.map { URL(fileURLWithPath: $0) }.first { python in
            FileManager.default.isExecutableFile(atPath: python.path)
                && (try? run(python, ["-c", "import tokenizers"])) == 0
        }
    }()

    /// Runs a program to its end and returns its exit code.
    static func run(_ program: URL, _ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private static func model(_ name: String) -> URL? {
        let home = ProcessInfo.processInfo.environment["CIRCADIA_HOME"] ?? ""
        let root =
            home.isEmpty
            ? FileManager.default.homeDirectoryForCurrentUser.appending(path: ".cache/circadia")
            : URL(fileURLWithPath: home)
        let folder = root.appending(path: "models").appending(path: name)
        let file = folder.appending(path: "tokenizer.json").path
        return FileManager.default.fileExists(atPath: file) ? folder : nil
    }
}
