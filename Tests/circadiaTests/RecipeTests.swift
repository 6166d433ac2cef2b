import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of the flags of a night's recipe and of its memory and time limits.
@Suite("Recipe", .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
struct RecipeTests {
    private let folder: Program.Folder

    init() throws {
        folder = try Program.Folder()
        try TinyModel.write(in: folder)
        try folder.writeLog()
    }

    private func sleep(_ more: String..., steps: Bool = true) throws -> Program.Outcome {
        try Program.run(
            [
                "sleep", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--no-gate",
                "--json", "--rehearsal", "0", "--reset-adapter",
            ] + (steps ? ["--iters", "3"] : []) + more, in: folder)
    }

    private func plan(_ outcome: Program.Outcome) throws -> [String: Any] {
        try #require(try Program.json(outcome)["plan"] as? [String: Any])
    }

    private let weights = "adapters/nightly_update/adapters.safetensors"

    @Test("--epochs passes over everything so many times; with --iters it is a usage error")
    func epochs() throws {
        let outcome = try sleep(
            "--epochs", "2", "--batch-size", "3", "--held-out", "0", steps: false)
        #expect(outcome.status == 0)
        let report = try Program.json(outcome)
        #expect(report["steps"] as? Int == 8)
        let once = try #require(report["tokens_scored"] as? Int)
        #expect(report["tokens_trained"] as? Int == 2 * once)
        let both = try sleep("--epochs", "1")
        #expect(both.status == 64)
        #expect(both.errors.contains("--iters and --epochs cannot both be given"))
    }

    @Test("--grad-accumulation makes a step of several micro-batches, of the same loss")
    func accumulation() throws {
        let whole = try Program.json(try sleep("--batch-size", "4"))
        let outcome = try sleep("--batch-size", "2", "--grad-accumulation", "2")
        let parts = try Program.json(outcome)
        #expect(parts["tokens_trained"] as? Int == whole["tokens_trained"] as? Int)
        let (a, b) = (try #require(whole["train_loss"] as? Double), parts["train_loss"] as? Double)
        #expect(abs(a - (b ?? 0)) < 1e-3 * a)
        #expect(try plan(outcome)["micro_batches_per_step"] as? Int == 2)
        #expect(outcome.errors.contains("up to 2 micro-batches"))
    }

    @Test("Each part of the recipe changes the adapter")
    func parts() throws {
        var seen: [Data] = []
        for more in [
            [], ["--optimizer", "adamw", "--weight-decay", "0.5"], ["--no-bias-correction"],
            ["--schedule", "cosine"], ["--clip", "0.001"], ["--dropout", "0.2"],
            ["--warmup", "0"],
        ] {
            let outcome = try Program.run(
                [
                    "sleep", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--no-gate",
                    "--rehearsal", "0", "--reset-adapter", "--iters", "8", "--learning-rate",
                    "1e-3",
                ] + more, in: folder)
            #expect(outcome.status == 0, "\(more) \(outcome.errors)")
            let adapter = try #require(folder.bytes(weights))
            #expect(!seen.contains(adapter), "\(more)")
            seen.append(adapter)
        }
    }

    @Test("--patience ends a night that no longer gets better, with its best numbers")
    func patience() throws {
        let outcome = try sleep(
            "--iters", "60", "--learning-rate", "0.05", "--warmup", "0", "--eval-every", "2",
            "--patience", "2", "--held-out", "0.3", steps: false)
        #expect(outcome.status == 0)
        let report = try Program.json(outcome)
        #expect(report["end"] as? String == "noImprovement")
        let steps = try #require(report["steps"] as? Int)
        let final = try #require(report["final_step"] as? Int)
        #expect(steps < 60 && final == steps - 4)
        #expect(outcome.errors.contains("step 2: held-out loss"))
        #expect(try sleep("--patience", "2").status == 64)
    }

    @Test("--memory-limit is kept to, reported, and refused with the least that works")
    func memoryLimit() throws {
        let outcome = try sleep("--memory-limit", "2GB")
        #expect(outcome.status == 0)
        let peak = try #require(try plan(outcome)["peak_bytes"] as? Int)
        #expect(peak > 0 && peak <= 2_000_000_000)
        #expect(outcome.errors.contains("peak memory"))
        let adapter = folder.bytes(weights)
        let small = try sleep("--memory-limit", "1MB")
        #expect(small.status == 1)
        #expect(small.errors.contains("this training run needs at least"))
        #expect(folder.bytes(weights) == adapter)
        #expect(
            try folder.names("adapters") == [
                ".sleep.lock", "nightly_update", "nights", "nights.jsonl", "versions",
            ])
        for bad in ["0", "-2GB", "much", "GB"] {
            #expect(try sleep("--memory-limit", bad).status == 64)
        }
    }

    private func clock(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.dateFormat = "HH:mm"
        formatter.locale = Locale(identifier: "en_US_POSIX")
        return formatter.string(from: date)
    }

    @Test("--finish-by reads times of day; one that has passed is tomorrow's")
    func finishBy() throws {
        let outcome = try sleep("--finish-by", clock(Date().addingTimeInterval(-120)))
        #expect(outcome.status == 0)
        #expect(try Program.json(outcome)["steps"] as? Int == 3)
        for bad in ["25:00", "12", "12:60", "noon", "1:2:3"] {
            #expect(try sleep("--finish-by", bad).status == 64)
        }
    }

    @Test(
        "--finish-by leaves out the steps that do not fit",
        .enabled(
            if: Surroundings.runsEverything,
            "takes a minute; make test-all runs it"))
    func finishesInTime() throws {
        // The whole minute is at least half a minute away, whatever the second hand shows.
        let end = (Date().addingTimeInterval(90).timeIntervalSince1970 / 60).rounded(.down) * 60
        let outcome = try sleep(
            "--iters", "10000000", "--finish-by", clock(Date(timeIntervalSince1970: end)),
            steps: false)
        #expect(outcome.status == 0)
        let steps = try #require(try Program.json(outcome)["steps"] as? Int)
        #expect(steps > 0 && steps < 10_000_000)
        #expect(outcome.errors.contains("of 10000000 steps fit into the time"))
        #expect(Date().timeIntervalSince1970 < end + 5)
    }

    @Test("The plan is told before the first step, with what it came to")
    func planned() throws {
        let outcome = try sleep()
        let text = outcome.errors
        let plan = try #require(text.range(of: "plan: 3 steps, "))
        let step = try #require(text.range(of: "step 1 of 3"))
        #expect(plan.lowerBound < step.lowerBound)
        let json = try self.plan(outcome)
        for key in ["iterations", "tokens", "scored_tokens", "seconds", "peak_bytes"] {
            #expect(json[key] != nil, "\(key)")
        }
        let report = try Program.json(outcome)
        #expect(json["scored_tokens"] as? Int == report["tokens_trained"] as? Int)
        #expect(report["training_seconds"] != nil && report["peak_rss_bytes"] != nil)
    }
}
