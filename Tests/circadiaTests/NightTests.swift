import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of what nights of a tiny random model print, write and leave unchanged.
@Suite("Night", .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
struct NightTests {
    private let folder: Program.Folder

    init() throws {
        folder = try Program.Folder()
        try TinyModel.write(in: folder)
        try folder.writeLog()
    }

    private func sleep(_ more: String...) throws -> Program.Outcome { try sleep(more) }

    private func sleep(_ more: [String]) throws -> Program.Outcome {
        let given = Set(more)
        let usual = [["--iters", "3"], ["--batch-size", "2"], ["--rehearsal", "0"]]
        return try Program.run(
            [
                "sleep", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--no-gate",
                "--json",
            ]
                + usual.filter { !given.contains($0[0]) }.joined() + more, in: folder)
    }

    private let weights = "adapters/nightly_update/adapters.safetensors"
    private let configuration = "adapters/nightly_update/adapter_config.json"

    @Test("sleep --json has the contract's keys and a complete, private adapter")
    func report() throws {
        let outcome = try sleep()
        #expect(outcome.status == 0)
        let report = try Program.json(outcome)
        let keys = [
            "accepted", "adapter", "train_loss", "heldout_loss_before", "heldout_loss_after",
            "tokens_trained", "seconds",
        ]
        for key in keys { #expect(report[key] != nil, "\(key) is missing") }
        #expect(report["accepted"] as? Bool == true)
        #expect(report["steps"] as? Int == 3)
        let scored = try #require(report["tokens_scored"] as? Int)
        let total = try #require(report["tokens_total"] as? Int)
        #expect(scored > 0 && scored < total)
        #expect(outcome.errors.contains("training on \(scored) of \(total) tokens"))
        for file in [weights, configuration] { #expect(try folder.mode(file) == 0o600) }
        #expect(try folder.mode("adapters") == 0o700)
        #expect(
            try folder.names("adapters") == [
                ".sleep.lock", "nightly_update", "nights", "nights.jsonl", "versions",
            ])
        let text = try #require(folder.bytes(configuration))
        let config = try JSONSerialization.jsonObject(with: text) as? [String: Any] ?? [:]
        #expect((config["lora_parameters"] as? [String: Any])?["rank"] as? Int == 8)
        let reply = try Program.run(
            "generate", "--model", TinyModel.path, "--max-tokens", "2", "--prompt", "Hi", in: folder
        )
        #expect(reply.status == 0)
        #expect(reply.errors.contains("adapter: adapters/nightly_update"))
    }

    @Test("The same night twice is the same adapter; going on with it is another")
    func continuing() throws {
        #expect(try sleep("--reset-adapter").status == 0)
        let first = try #require(folder.bytes(weights))
        #expect(try sleep("--reset-adapter").status == 0)
        #expect(folder.bytes(weights) == first)
        #expect(try sleep().status == 0)
        #expect(folder.bytes(weights) != first)
    }

    @Test("Held-out conversations leave no trace in the adapter")
    func heldOut() throws {
        // Enough steps to see every exchange.
        let night = ["--reset-adapter", "--held-out", "0.3", "--iters", "8"]
        let report = try Program.json(try sleep(night))
        let held = try #require(report["exchanges_held_out"] as? Int)
        #expect(held > 0 && report["exchanges_trained"] as? Int == 12 - held)
        let adapter = try #require(folder.bytes(weights))
        var untouched = 0
        for session in 0..<6 {
            try folder.writeLog(changed: session)
            #expect(try sleep(night).status == 0)
            if folder.bytes(weights) == adapter { untouched += 1 }
        }
        #expect(untouched * 2 == held)
    }

    @Test("--augment counts the paraphrases that were used and those that were refused")
    func augment() throws {
        let report = try Program.json(try sleep("--augment", "--augment-pairs", "2"))
        let used = try #require(report["synthetic_pairs"] as? Int)
        let refused = try #require(report["synthetic_refused"] as? [String: Int])
        #expect(used <= 2)
        #expect(used + refused.values.reduce(0, +) > 0)
        let plain = try Program.json(try sleep())
        #expect(plain["synthetic_pairs"] as? Int == 0)
    }

    @Test("With a single exchange nothing is held out: its losses are null, not absent")
    func nothingHeldOut() throws {
        let line = try folder.read("log.jsonl").split(separator: "\n")[0]
        try folder.write(line + "\n", to: "log.jsonl")
        let outcome = try sleep()
        #expect(outcome.status == 0)
        let report = try Program.json(outcome)
        #expect(report["heldout_loss_before"] is NSNull && report["heldout_loss_after"] is NSNull)
        #expect(report["exchanges_held_out"] as? Int == 0)
    }

    @Test("A log without a reply is nothing to learn from, and says so")
    func nothingToLearn() throws {
        try folder.write(
            #"{"messages":[{"role":"user","content":"Hello?"}]}"# + "\n", to: "log.jsonl")
        let outcome = try sleep()
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("log.jsonl") && outcome.errors.contains("chat first"))
        #expect(!folder.exists(weights))
    }

    @Test("A night that is judged worse leaves the adapter and exits with 2")
    func rejected() throws {
        // Only a trained model can become worse.
        let night = [
            "sleep", "--memory-file", "log.jsonl", "--rehearsal", "0", "--lora-layers", "1",
            "--warmup", "0", "--json",
        ]
        #expect(try Program.run(night + ["--iters", "1", "--no-gate"], in: folder).status == 0)
        let adapter = try #require(folder.bytes(weights))
        let outcome = try Program.run(
            night + ["--iters", "3", "--learning-rate", "0.5"], in: folder)
        #expect(outcome.status == 2)
        let report = try Program.json(outcome)
        #expect(report["accepted"] as? Bool == false)
        #expect((report["verdict"] as? String)?.contains("rejected") == true)
        #expect(folder.bytes(weights) == adapter)
    }

    @Test("A second sleep, or cycle, is refused with 2 while one runs")
    func refused() throws {
        let night = try RunningProgram(longNight, in: folder)
        try night.wait(for: "no training") { night.errors.contains("step 1 of") }
        let second = try sleep()
        #expect(second.status == 2)
        #expect(second.errors.contains("another sleep is running"))
        let cycle = try Program.run(
            "run-cycle", "--model", TinyModel.path, "--memory-file", "log.jsonl", in: folder)
        #expect(cycle.status == 2)
        #expect(!folder.exists("logs"))
        night.send(signal: SIGKILL)
        _ = try night.finish()
        #expect(try sleep().status == 0)
    }

    private var longNight: [String] {
        ["sleep", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--iters", "1000000"]
    }

    /// The state of the files that change while an adapter is written.
    private func adapterFolderState() -> [String] {
        let manager = FileManager.default
        let root = folder.url.appendingPathComponent("adapters")
        return ["", "nightly_update", "versions"].flatMap { name -> [String] in
            let path = root.appendingPathComponent(name).path
            let names = (try? manager.contentsOfDirectory(atPath: path)) ?? []
            return names.filter { $0 != ".training" }.sorted()
        }
    }

    /// The moments at which nights are killed.
    enum Moment: CaseIterable { case anywhere, afterTraining, whileSaving }

    @Test(
        "kill -9 leaves the old adapter or a whole new one, and no strays for long",
        arguments: Moment.allCases)
    func killed(at moment: Moment) throws {
        let start = Date()
        #expect(try sleep("--reset-adapter").status == 0)
        let length = Date().timeIntervalSince(start)
        var moments = KillMoments("killed(at: \(moment))")
        for round in 0..<8 {
            if round == 0 || round == 4 {
                // These nights have no old adapter.
                try FileManager.default.removeItem(
                    at: folder.url.appendingPathComponent("adapters"))
                try FileManager.default.createDirectory(
                    at: folder.url.appendingPathComponent("adapters"),
                    withIntermediateDirectories: false)
                try folder.write("", to: "adapters/.sleep.lock")
            }
            let before = adapterFolderState()
            // Each night has another rank, so that parts of two adapters would not fit together.
            let night = try RunningProgram(
                [
                    "sleep", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--iters",
                    "3", "--rehearsal", "0", "--no-gate", "--reset-adapter", "--lora-r",
                    "\(4 + round % 3)",
                ], in: folder)
            switch moment {
            case .anywhere:
                moments.wait(of: length)
            case .afterTraining:
                try night.wait(for: "no last step") { night.errors.contains("step 3 of 3") }
                moments.wait(microseconds: 0...25_000)
            case .whileSaving:
                let end = Date().addingTimeInterval(60)
                while adapterFolderState() == before && Date() < end {}
                moments.wait(microseconds: 0...3000)
            }
            night.send(signal: SIGKILL)
            _ = try night.finish()
            #expect((folder.bytes(weights) == nil) == (folder.bytes(configuration) == nil))
            // A version that `adapter list` shows is complete.
            for name in (try? folder.names("adapters/versions")) ?? []
            where !name.hasPrefix(".") {
                let version = "adapters/versions/\(name)"
                #expect(
                    try folder.names(version) == [
                        "adapter_config.json", "adapters.safetensors", "night.json",
                        "training_manifest.json",
                    ])
            }
            if folder.exists(weights) {
                let reply = try Program.run(
                    "generate", "--model", TinyModel.path, "--max-tokens", "1", "--prompt", "Hi",
                    in: folder)
                #expect(reply.status == 0, "round \(round): \(reply.errors)")
            }
        }
        #expect(try sleep("--reset-adapter").status == 0)
        #expect(
            try folder.names("adapters") == [
                ".sleep.lock", "nightly_update", "nights", "nights.jsonl", "versions",
            ])
        #expect(
            try folder.names("adapters/nightly_update")
                == [
                    "adapter_config.json", "adapters.safetensors", "night.json",
                    "training_manifest.json",
                ])
        #expect(try folder.names("adapters/versions").allSatisfy { !$0.hasPrefix(".") })
    }
}
