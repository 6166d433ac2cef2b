import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of showing, exporting and importing adapters, and of the flags of a new adapter.
@Suite("Adapter command", .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
struct AdapterCommandTests {
    private let folder: Program.Folder

    init() throws {
        folder = try Program.Folder()
        try TinyModel.write(in: folder)
        try folder.writeLog()
    }

    private func run(_ arguments: String...) throws -> Program.Outcome {
        try Program.run(arguments, in: folder)
    }

    private func sleep(_ more: String...) throws -> Program.Outcome {
        try Program.run(
            [
                "sleep", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--json",
                "--iters", "2", "--rehearsal", "0", "--no-gate", "--learning-rate", "0.01",
            ] + more, in: folder)
    }

    private func show(_ path: String) throws -> [String: Any] {
        try Program.json(run("adapter", "show", path, "--model", TinyModel.path, "--json"))
    }

    @Test("Flags choose matrices, blocks, rank, scale and DoRA")
    func choice() throws {
        let outcome = try sleep(
            "--lora-keys", "q_proj,down_proj", "--lora-layers", "1", "--lora-r", "4",
            "--lora-alpha", "12", "--dora")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let shown = try show("adapters/nightly_update")
        #expect(shown["kind"] as? String == "dora")
        #expect(shown["format"] as? String == "mlx")
        #expect(shown["rank"] as? Int == 4)
        #expect(shown["scale"] as? Double == 3)
        #expect(shown["layers"] as? [Int] == [1])
        #expect(shown["keys"] as? [String] == ["self_attn.q_proj", "mlp.down_proj"])
        #expect(shown["parameters"] as? Int == 4 * (64 + 64) + 64 + 4 * (128 + 64) + 64)
        // Other settings need a new adapter, and the night prints that.
        let again = try sleep("--lora-layers", "all")
        #expect(again.errors.contains("--reset-adapter starts a new one"), "\(again.errors)")
        #expect(try show("adapters/nightly_update")["kind"] as? String == "dora")
        let fresh = try sleep("--lora-layers", "-1", "--reset-adapter")
        #expect(fresh.status == 0, "\(fresh.errors)")
        #expect(try show("adapters/nightly_update")["layers"] as? [Int] == [0, 1])
    }

    @Test("Nights say in the adapter what they were, and the last one counts them")
    func origin() throws {
        for night in 1...2 {
            #expect(try sleep("--seed", "3").status == 0)
            let shown = try #require(try show("adapters/nightly_update")["trained_by"] as? String)
            for part in [
                "circadia, nights: \(night), night: 20", "model: \(TinyModel.path)",
                "recipe: circadia sleep", "steps: 2", "learning_rate: 0.01", "batch_size: 6",
                "seed: 3", "held_out_loss: ",
            ] {
                #expect(shown.contains(part), "\(part) is not in \(shown)")
            }
        }
        #expect(try sleep("--mlx-compat", "--batch-size", "2", "--reset-adapter").status == 0)
        let shown = try #require(try show("adapters/nightly_update")["trained_by"] as? String)
        #expect(shown.contains("nights: 1,") && shown.contains("recipe: mlx_lm.lora"), "\(shown)")
    }

    @Test("Wrong choices are told apart before anything runs")
    func wrongChoices() throws {
        let cases: [([String], String)] = [
            (
                ["--lora-keys", "q_proj,nose"],
                "--lora-keys: unknown matrix “nose”; choose from q_proj, k_proj, v_proj, o_proj, "
                    + "gate_proj, up_proj, down_proj"
            ),
            (
                ["--lora-scale", "20", "--lora-alpha", "160"],
                "--lora-scale and --lora-alpha set the same value (alpha = scale · rank); give one"
            ),
            (
                ["--mlx-compat", "--optimizer", "adamw"],
                "--mlx-compat trains as mlx_lm.lora does; leave out --optimizer adamw"
            ),
            (["--lora-r", "257"], "--lora-r must be 1 to 256"),
            (["--lora-layers", "0"], "--lora-layers must be at least 1, or -1 or all for all"),
        ]
        for (flags, expected) in cases {
            let outcome = try Program.run(["sleep"] + flags, in: folder)
            #expect(outcome.status == 64)
            #expect(outcome.errors.contains(expected), "\(outcome.errors)")
        }
        let cycle = try run("run-cycle", "--sleep-lora-r", "0")
        #expect(cycle.status == 64)
        #expect(cycle.errors.contains("--sleep-lora-r must be 1 to 256"), "\(cycle.errors)")
    }

    @Test("Every format is written, read back, and replaced only when told so")
    func formats() throws {
        #expect(try sleep("--lora-layers", "1").status == 0)
        let own = try show("adapters/nightly_update")
        for format in ["mlx", "peft", "gguf"] {
            let export = try run(
                "adapter", "export", "--format", format, "--out", "out.\(format)", "--model",
                TinyModel.path)
            #expect(export.status == 0, "\(export.errors)")
            let shown = try show("out.\(format)")
            #expect(shown["format"] as? String == format)
            #expect(shown["norm_delta"] as? Double == own["norm_delta"] as? Double)
            let again = try run(
                "adapter", "export", "--format", format, "--out", "out.\(format)", "--model",
                TinyModel.path)
            #expect(again.status == 1)
            #expect(
                again.errors.contains(
                    "out.\(format): this already exists; name another place with --out, or "
                        + "replace it with --force"), "\(again.errors)")
            let back = try run(
                "adapter", "import", "out.\(format)", "--out", "back", "--model", TinyModel.path,
                "--force")
            #expect(back.status == 0, "\(back.errors)")
            #expect(
                folder.bytes("back/adapters.safetensors")
                    == folder.bytes("adapters/nightly_update/adapters.safetensors"), "\(format)")
        }
    }

    @Test("A fused model runs without the adapter and says the same")
    func fused() throws {
        #expect(try sleep("--dora").status == 0)
        let export = try run(
            "adapter", "export", "--format", "fused", "--out", "fused", "--model", TinyModel.path)
        #expect(export.status == 0, "\(export.errors)")
        var losses: [Double] = []
        for arguments in [
            ["--model", TinyModel.path], ["--model", "fused/", "--no-adapter"],
            ["--model", TinyModel.path, "--no-adapter"],
        ] {
            let outcome = try Program.run(
                ["eval-loss", "--memory-file", "log.jsonl", "--json"] + arguments, in: folder,
                environment: ["CIRCADIA_EXACT": "1"])
            #expect(outcome.status == 0, "\(outcome.errors)")
            losses.append(try #require(try Program.json(outcome)["loss"] as? Double))
        }
        #expect(abs(losses[0] - losses[1]) < 1e-3)
        #expect(abs(losses[0] - losses[2]) > 1e-2)
    }

    @Test("--mlx-compat trains whole rows without warm-up")
    func mlxCompatibility() throws {
        let outcome = try sleep("--mlx-compat", "--batch-size", "2")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try Program.json(outcome)
        let options = try #require(report["options"] as? [String: Any])
        #expect(options["matches_mlx"] as? Bool == true)
        #expect(options["warmup_steps"] as? Int == 0)
    }
}
