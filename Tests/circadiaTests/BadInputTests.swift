import Foundation
import Testing

import CircadiaFiles
import CircadiaFormats
import circadia

/// Tests that each kind of bad input gives one clear message with file and place and a non-zero
/// exit code, and loses nothing.
@Suite("Bad input")
struct BadInputTests {
    private let folder: Program.Folder

    init() throws { folder = try Program.Folder() }

    private func tinyModel() throws -> URL { try TinyModel.write(in: folder) }

    @Test("An unknown model says how to get one")
    func unknownModel() throws {
        let outcome = try Program.run("generate", "--model", "no-such", "--prompt", "x", in: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("no-such"))
        #expect(outcome.errors.contains("model pull"))
    }

    @Test(
        "An unknown CIRCADIA_ISA lists the valid ones",
        .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
    func unknownISA() throws {
        let outcome = try Program.run(
            "generate", "--prompt", "x", in: folder, environment: ["CIRCADIA_ISA": "sse9"])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("sse9") && outcome.errors.contains("scalar"))
    }

    @Test("The forced ISA is the active one", arguments: ["scalar", "avx2", "avx512", "neon"])
    func forcedISA(isa: String) throws {
        let free = try Program.json(try Program.run("doctor", "--json", in: folder))
        let choices = (free["isa_choices"] as? String ?? "").components(separatedBy: ", ")
        let outcome = try Program.run(
            "doctor", "--json", in: folder, environment: ["CIRCADIA_ISA": isa])
        if choices.contains(isa) {
            #expect(try Program.json(outcome)["isa"] as? String == isa)
        } else {
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains(isa))
        }
    }

    @Test(
        "Truncated weights name the file",
        .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
    func truncatedWeights() throws {
        let model = try tinyModel()
        let file = model.appendingPathComponent("model.safetensors")
        let data = try Data(contentsOf: file)
        try data.prefix(data.count - 1000).write(to: file)
        let outcome = try Program.run("generate", "--model", "tiny/", "--prompt", "x", in: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("model.safetensors"))
    }

    @Test(
        "Missing weights name the folder",
        .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
    func missingWeights() throws {
        let model = try tinyModel()
        try FileManager.default.removeItem(at: model.appendingPathComponent("model.safetensors"))
        let outcome = try Program.run("generate", "--model", "tiny/", "--prompt", "x", in: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("model.safetensors"))
    }

    @Test(
        "An unknown architecture is named",
        .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
    func unknownArchitecture() throws {
        let model = try tinyModel()
        let file = model.appendingPathComponent("config.json")
        let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        try Data(text.replacingOccurrences(of: "\"llama\"", with: "\"mamba\"").utf8).write(to: file)
        let outcome = try Program.run("generate", "--model", "tiny/", "--prompt", "x", in: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("mamba") && outcome.errors.contains("config.json"))
    }

    @Test(
        "A wrong shape names the tensor",
        .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
    func wrongShape() throws {
        let model = try tinyModel()
        let file = model.appendingPathComponent("config.json")
        let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        let changed = text.replacingOccurrences(
            of: "\"intermediate_size\": 128", with: "\"intermediate_size\": 192")
        #expect(changed != text)
        try Data(changed.utf8).write(to: file)
        let outcome = try Program.run("generate", "--model", "tiny/", "--prompt", "x", in: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("mlp."))
    }

    @Test(
        "A broken tokenizer names file and place",
        .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
    func brokenTokenizer() throws {
        let model = try tinyModel()
        let file = model.appendingPathComponent("tokenizer.json")
        let data = try Data(contentsOf: file)
        try data.prefix(data.count / 2).write(to: file)
        let outcome = try Program.run("tokenize", "--model", "tiny/", in: folder, input: "x")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("tokenizer.json"))
    }

    @Test("Garbage lines of a log are counted by line, and the rest is used")
    func garbageLines() throws {
        try folder.write(
            """
            {"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}
            secret garbage
            {"messages":[{"role":"user","content":"c"},{"role":"assistant","content":"d"}]}

            """, to: "log.jsonl")
        let outcome = try Program.run("route", "--memory-file", "log.jsonl", in: folder)
        #expect(outcome.status == 0)
        #expect(outcome.output.split(separator: "\n").count == 2)
        #expect(outcome.errors.contains("2") && !outcome.errors.contains("secret"))
    }

    @Test(
        "An empty log is refused with a message",
        .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
    func emptyLog() throws {
        try folder.write("", to: "log.jsonl")
        for command in ["eval-loss", "sleep"] {
            let outcome = try Program.run(command, "--memory-file", "log.jsonl", in: folder)
            #expect(outcome.status != 0)
            #expect(outcome.errors.contains("log.jsonl"))
        }
    }

    @Test("A missing log is an error that names it")
    func missingLog() throws {
        let outcome = try Program.run("route", "--memory-file", "none.jsonl", in: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("none.jsonl"))
    }

    @Test(
        "A full disk refuses the chat before anything is said",
        .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
    func fullDisk() throws {
        guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
        let outcome = try Program.run(
            "chat", "--memory-file", "/dev/full", "--max-tokens", "2", in: folder, input: "hello\n")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("/dev/full"))
    }

    @Test(
        "An adapter of another model is refused, and stays",
        .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
    func foreignAdapter() throws {
        try folder.write(
            """
            {"fine_tune_type": "lora", "num_layers": 1,
             "lora_parameters": {"rank": 4, "scale": 20.0, "dropout": 0.0}}
            """, to: "adapter/adapter_config.json")
        try SafetensorsWriter.write(
            [
                (
                    name: "model.layers.29.self_attn.q_proj.lora_a", type: .f32, shape: [8, 4],
                    bytes: [UInt8](repeating: 0, count: 8 * 4 * 4)
                )
            ], to: folder.url.appendingPathComponent("adapter/adapters.safetensors"))
        let outcome = try Program.run(
            "generate", "--adapter-dir", "adapter", "--prompt", "x", in: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("q_proj.lora_a"))
        #expect(folder.exists("adapter/adapters.safetensors"))
    }

    @Test("Wrong flags are usage errors", arguments: ["--temp=-1", "--top-p=2", "--max-tokens=0"])
    func usage(flag: String) throws {
        let outcome = try Program.run("generate", flag, "--prompt", "x", in: folder)
        #expect(outcome.status == 64)
    }

    @Test("run-cycle refuses an unknown --sleep- flag")
    func unknownSleepFlag() throws {
        let outcome = try Program.run("run-cycle", "--sleep-nonsense", "3", in: folder)
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("nonsense"))
    }
}
