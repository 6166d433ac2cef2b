import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of broken adapters, GGUF files, templates and log lines.
@Suite("Bad files", .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
struct BadFileTests {
    private let folder: Program.Folder

    init() throws { folder = try Program.Folder() }

    /// A tiny model with a trained adapter in the default place.
    private func trainAdapter() throws {
        try TinyModel.write(in: folder)
        try folder.writeLog(sessions: 2)
        let night = try Program.run(
            "sleep", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--iters", "1",
            "--no-gate", "--rehearsal", "0", in: folder)
        #expect(night.status == 0)
    }

    /// The messages of `generate`, `chat`, `sleep` and `eval-loss` for the broken adapter, which
    /// must stay.
    private func expectRefusal(mentioning word: String) throws {
        let file = "adapters/nightly_update/adapters.safetensors"
        let before = folder.bytes(file)
        for command in [
            ["generate", "--prompt", "x"], ["chat"], ["eval-loss", "--memory-file", "log.jsonl"],
            ["sleep", "--memory-file", "log.jsonl"],
        ] {
            let outcome = try Program.run(
                command + ["--model", TinyModel.path], in: folder, input: "Hi\n")
            #expect(outcome.status == 1, "\(command)")
            #expect(outcome.errors.contains("adapters.safetensors"), "\(outcome.errors)")
            #expect(outcome.errors.contains(word), "\(outcome.errors)")
        }
        #expect(folder.bytes(file) == before)
        let bare = try Program.run(
            "generate", "--model", TinyModel.path, "--no-adapter", "--prompt", "x", "--max-tokens",
            "2", in: folder)
        #expect(bare.status == 0)
    }

    @Test("A truncated adapter is refused by every command, and stays")
    func truncatedAdapter() throws {
        try trainAdapter()
        let file = "adapters/nightly_update/adapters.safetensors"
        let data = try #require(folder.bytes(file))
        try data.prefix(data.count - 100).write(to: folder.url.appendingPathComponent(file))
        try expectRefusal(mentioning: "bytes")
    }

    @Test("An adapter with a NaN in it is refused by every command, and stays")
    func nanAdapter() throws {
        try trainAdapter()
        let file = "adapters/nightly_update/adapters.safetensors"
        var data = try #require(folder.bytes(file))
        data.replaceSubrange((data.count - 4)..., with: [0, 0, 0xC0, 0x7F])
        try data.write(to: folder.url.appendingPathComponent(file))
        try expectRefusal(mentioning: "finite")
    }

    /// Faults in the first bytes of a GGUF file.
    enum BrokenHeader: String, CaseIterable {
        case empty, otherMagic, newerVersion, cutOff

        var bytes: [UInt8] {
            // Version, then five tensors and five keys.
            let counts: [UInt8] = [5, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]
            return switch self {
            case .empty: []
            case .otherMagic: Array("PK-archive, not a model".utf8)
            case .newerVersion: Array("GGUF".utf8) + [9, 0, 0, 0] + counts
            case .cutOff: Array("GGUF".utf8) + [3, 0, 0, 0] + counts + [4]
            }
        }

        /// The text that the message must contain.
        var word: String {
            switch self {
            case .empty, .otherMagic: "GGUF"
            case .newerVersion: "version 9"
            case .cutOff: "byte"
            }
        }
    }

    @Test(
        "A GGUF file of the wrong kind, or cut off, is refused and nothing is made",
        arguments: BrokenHeader.allCases)
    func brokenGGUF(header: BrokenHeader) throws {
        try Data(header.bytes).write(to: folder.url.appendingPathComponent("broken.gguf"))
        let outcome = try Program.run(
            "model", "import", "broken.gguf", "--out", "new", in: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("broken.gguf"))
        #expect(outcome.errors.contains(header.word), "\(outcome.errors)")
        #expect(!folder.exists("new/config.json"))
    }

    @Test(
        "A GGUF file whose tensors are cut off is refused and nothing is made",
        .enabled(
            if: Program.importableGGUF != nil,
            "there is no GGUF file of smollm2-135m; make test-all brings it"))
    func truncatedGGUF() throws {
        let source = try #require(Program.importableGGUF)
        let handle = try FileHandle(forReadingFrom: source)
        let part = try #require(try handle.read(upToCount: 8 << 20))
        try part.write(to: folder.url.appendingPathComponent("cut.gguf"))
        let outcome = try Program.run("model", "import", "cut.gguf", "--out", "new", in: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("cut.gguf"))
        #expect(!folder.exists("new/config.json"))
        #expect(!(try folder.names(".").contains { $0.hasPrefix(".circadia-tmp") }))
    }

    @Test("An unknown chat template is refused and named")
    func unknownTemplate() throws {
        let model = try TinyModel.write(in: folder)
        let file = model.appendingPathComponent("tokenizer_config.json")
        var config =
            try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any] ?? [:]
        config["chat_template"] = "{{ bos_token }}[INST] {{ messages[0]['content'] }} [/INST]"
        try JSONSerialization.data(withJSONObject: config).write(to: file)
        try? FileManager.default.removeItem(
            at: model.appendingPathComponent("chat_template.jinja"))
        let outcome = try Program.run(
            "generate", "--model", TinyModel.path, "--prompt", "x", in: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("tokenizer_config.json"), "\(outcome.errors)")
        #expect(outcome.errors.contains("[INST]"), "\(outcome.errors)")
    }

    @Test("A log line that is not UTF-8 is named by number and skipped")
    func invalidUTF8() throws {
        try folder.writeLog(sessions: 1)
        var log = try #require(folder.bytes("log.jsonl"))
        log.append(contentsOf: Array(#"{"messages":[{"role":"user","content":""#.utf8))
        log.append(contentsOf: [0xFF, 0xFE])
        log.append(contentsOf: Array("\"}]}\n".utf8))
        try log.write(to: folder.url.appendingPathComponent("log.jsonl"))
        let outcome = try Program.run("route", "--memory-file", "log.jsonl", in: folder)
        #expect(outcome.status == 0)
        #expect(outcome.output.split(separator: "\n").count == 2)
        #expect(outcome.errors.contains("log.jsonl: line 3: not UTF-8"))
        #expect(folder.bytes("log.jsonl") == log)
    }

    @Test("A prompt longer than the context is an error with both numbers")
    func longPrompt() throws {
        try TinyModel.write(in: folder)
        let outcome = try Program.run(
            "generate", "--model", TinyModel.path, in: folder,
            input: String(repeating: "word ", count: 1000))
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("256"))
    }

    @Test("An exchange longer than the context is measured and trained on, cut")
    func longExchange() throws {
        try TinyModel.write(in: folder)
        let text = String(repeating: "word ", count: 1000)
        let line =
            #"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"\#(text)"}]}"#
        try folder.write(line + "\n", to: "log.jsonl")
        for command in [["eval-loss"], ["sleep", "--iters", "1", "--no-gate", "--rehearsal", "0"]] {
            let outcome = try Program.run(
                command + ["--model", TinyModel.path, "--memory-file", "log.jsonl"], in: folder)
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
    }

    @Test("Negative threads are a usage error")
    func negativeThreads() throws {
        let outcome = try Program.run("generate", "--threads=-1", "--prompt", "x", in: folder)
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("--threads"))
    }
}
