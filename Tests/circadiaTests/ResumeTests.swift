import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of nights that are interrupted or killed and then resumed.
@Suite("Resume", .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
struct ResumeTests {
    private let folder: Program.Folder

    init() throws {
        folder = try Program.Folder()
        try TinyModel.write(in: folder)
        try folder.writeLog()
    }

    private let weights = "adapters/nightly_update/adapters.safetensors"
    private let unfinished = "adapters/.training/nightly_update"

    private func night(_ more: [String] = [], iterations: Int = 40) -> [String] {
        [
            "sleep", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--no-gate",
            "--batch-size", "2", "--rehearsal", "0", "--iters", "\(iterations)",
            "--checkpoint-every", "7",
        ] + more
    }

    /// The adapter of an uninterrupted night, in a folder of its own.
    private func undisturbed(_ arguments: [String]) throws -> Data {
        #expect(try Program.run(arguments, in: folder).status == 0)
        let adapter = try #require(folder.bytes(weights))
        try FileManager.default.removeItem(at: folder.url.appendingPathComponent("adapters"))
        return adapter
    }

    @Test(
        "Ctrl-C and SIGTERM end a night with 75, keep it for its owner, and --resume goes on",
        arguments: [SIGINT, SIGTERM])
    func interrupted(by number: Int32) throws {
        let adapter = try undisturbed(night(iterations: 150))
        let running = try RunningProgram(night(iterations: 150), in: folder)
        try running.wait(for: "no training") { running.errors.contains("step 10 of") }
        running.send(signal: number)
        let outcome = try running.finish()
        #expect(outcome.status == 75)
        #expect(outcome.errors.contains("interrupted after step "))
        #expect(outcome.errors.contains("adapter is untouched"))
        #expect(!folder.exists(weights))
        #expect(try folder.names(unfinished) == ["night.json", "state.safetensors"])
        for file in ["night.json", "state.safetensors"] {
            #expect(try folder.mode("\(unfinished)/\(file)") == 0o600)
        }
        #expect(try folder.mode(unfinished) == 0o700)

        // Exchanges logged between the two runs are for the next night.
        let log = try folder.read("log.jsonl")
        try folder.writeLog(sessions: 7)
        #expect(try folder.read("log.jsonl").hasPrefix(log))
        let rest = try Program.run(night(["--resume", "--json"], iterations: 150), in: folder)
        #expect(rest.status == 0)
        #expect(rest.errors.contains("2 later exchanges wait for the next night"))
        #expect(try Program.json(rest)["steps"] as? Int == 150)
        #expect(folder.bytes(weights) == adapter)
        #expect(
            try folder.names("adapters") == [
                ".sleep.lock", "nightly_update", "nights", "nights.jsonl", "versions",
            ])
    }

    /// Kills a night at random moments and resumes it until it ends; returns the number of kills.
    private func killedUntilDone(
        _ arguments: [String], seconds: Double, kills: Int, at moments: inout KillMoments
    ) throws -> Int {
        var killed = 0
        while true {
            let goesOn = folder.exists("\(unfinished)/night.json")
            let running = try RunningProgram(
                arguments + (goesOn ? ["--resume"] : []), in: folder)
            if killed < kills {
                moments.wait(of: seconds)
                running.send(signal: SIGKILL)
            }
            let outcome = try running.finish()
            if outcome.status == 128 + SIGKILL {
                killed += 1
                // The night was killed after its last write, so it is complete.
                if folder.exists(weights), !folder.exists("\(unfinished)/night.json") {
                    return killed
                }
                continue
            }
            #expect(outcome.status == 0, "\(outcome.errors)")
            return killed
        }
    }

    @Test("Killed again and again, a night ends with the very adapter of one that was not")
    func killed() throws {
        let arguments = night(iterations: 60)
        let start = Date()
        let adapter = try undisturbed(arguments)
        let length = Date().timeIntervalSince(start)
        // A few kills are enough to find a failure.
        let kills = KillMoments.count(orElse: 4)
        var moments = KillMoments()
        var killed = 0
        while killed < kills {
            try? FileManager.default.removeItem(at: folder.url.appendingPathComponent("adapters"))
            killed += max(
                1,
                try killedUntilDone(
                    arguments, seconds: length, kills: kills - killed, at: &moments))
            #expect(folder.bytes(weights) == adapter)
            #expect(!folder.exists("adapters/.training"))
        }
    }

    @Test("A night goes on from the adapter it began with, also where it was continuing one")
    func continuing() throws {
        #expect(try Program.run(night(iterations: 3), in: folder).status == 0)
        let yesterday = try #require(folder.bytes(weights))
        // The copy keeps the ledger and the number of nights too.
        let adapters = folder.url.appendingPathComponent("adapters")
        let kept = folder.url.appendingPathComponent("yesterday")
        try FileManager.default.copyItem(at: adapters, to: kept)
        #expect(try Program.run(night(iterations: 30), in: folder).status == 0)
        let today = try #require(folder.bytes(weights))
        #expect(today != yesterday)
        try FileManager.default.removeItem(at: adapters)
        try FileManager.default.moveItem(at: kept, to: adapters)
        let running = try RunningProgram(night(iterations: 30), in: folder)
        try running.wait(for: "no training") { running.errors.contains("step 10 of") }
        running.send(signal: SIGKILL)
        _ = try running.finish()
        if folder.bytes(weights) == yesterday {
            #expect(try Program.run(night(["--resume"], iterations: 30), in: folder).status == 0)
        }
        #expect(folder.bytes(weights) == today)
    }

    /// Makes an unfinished night: kills one after some steps.
    private func begun() throws {
        let running = try RunningProgram(night(iterations: 100_000), in: folder)
        try running.wait(for: "no training") { running.errors.contains("step 10 of") }
        running.send(signal: SIGKILL)
        _ = try running.finish()
    }

    @Test("Other options, another model or a log that lost something: refused with 2, and kept")
    func changed() throws {
        try begun()
        let state = folder.bytes("\(unfinished)/state.safetensors")
        var outcome = try Program.run(night(["--resume"], iterations: 50), in: folder)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("--iters was 100000, now it is 50"))
        #expect(outcome.errors.contains("sleep without --resume to start again"))

        let same = night(["--resume"], iterations: 100_000)
        let lines = try folder.read("log.jsonl")
        try folder.write(
            lines.split(separator: "\n").dropFirst().joined(separator: "\n") + "\n",
            to: "log.jsonl")
        outcome = try Program.run(same, in: folder)
        #expect(outcome.status == 2)
        #expect(
            outcome.errors.contains("1 of its 12 exchanges are no longer in the log, or differ"))
        try folder.writeLog(changed: 0)
        outcome = try Program.run(same, in: folder)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("2 of its 12 exchanges"))
        try folder.writeLog()

        try TinyModel.write(in: folder, seed: 5)
        outcome = try Program.run(same, in: folder)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("had other weights"))
        #expect(folder.bytes("\(unfinished)/state.safetensors") == state)

        try folder.write("{", to: "\(unfinished)/night.json")
        outcome = try Program.run(same, in: folder)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("night.json: the unfinished night is damaged"))
    }

    @Test("A night that holds what was tagged or forgotten since is refused; a purge removes it")
    func forgotten() throws {
        try begun()
        let same = night(["--resume"], iterations: 100_000)
        var outcome = try Program.run(
            ["memory", "tag", "no-train"] + (0..<6).map { "s\($0)-0" }
                + ["--memory-file", "log.jsonl"], in: folder)
        #expect(outcome.status == 0)
        outcome = try Program.run(same, in: folder)
        #expect(outcome.status == 2)
        #expect(
            outcome.errors.contains("of its exchanges have been tagged not to be trained since"))

        let forget = ["forget", "--memory-file", "log.jsonl"]
        #expect(try Program.run(forget + ["--id", "s2-0", "--yes"], in: folder).status == 0)
        outcome = try Program.run(same, in: folder)
        #expect(outcome.status == 2)
        #expect(
            outcome.errors.contains(
                "1 of its 12 exchanges are no longer in the log, or differ; forgotten "
                    + "exchanges are not trained"))
        #expect(folder.exists("\(unfinished)/night.json"))

        outcome = try Program.run(forget + ["--purge"], in: folder)
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("held forgotten exchanges and was removed"))
        #expect(!folder.exists("adapters/.training"))
        outcome = try Program.run(same, in: folder)
        #expect(outcome.status == 2 && outcome.errors.contains("no unfinished night"))
    }

    @Test("A resumed night says in its manifest what it was trained on")
    func manifest() throws {
        #expect(try Program.run(night(iterations: 3), in: folder).status == 0)
        let manifest = "adapters/nightly_update/training_manifest.json"
        func trained() throws -> [String]? {
            let data = try #require(folder.bytes(manifest))
            let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
            return object?["trained"] as? [String]
        }
        let hashes = try trained()
        #expect(hashes?.isEmpty == false)
        let running = try RunningProgram(night(iterations: 150), in: folder)
        try running.wait(for: "no training") { running.errors.contains("step 10 of") }
        running.send(signal: SIGINT)
        #expect(try running.finish().status == 75)
        try FileManager.default.removeItem(at: folder.url.appendingPathComponent(manifest))
        #expect(try Program.run(night(["--resume"], iterations: 150), in: folder).status == 0)
        #expect(try trained() == hashes)
    }

    @Test("Without --resume an unfinished night is mentioned; with it and without a night, refused")
    func notResumed() throws {
        var outcome = try Program.run(night(["--resume"]), in: folder)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("no unfinished night"))
        #expect(!folder.exists(weights))
        try begun()
        outcome = try Program.run(night(iterations: 3), in: folder)
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("did not end and is given up for this one"))
        #expect(outcome.errors.contains("--resume would have continued it"))
        #expect(!folder.exists("adapters/.training"))
    }
}
