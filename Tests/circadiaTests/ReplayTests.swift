import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of consecutive nights: which exchanges are new, which are replayed, and what the ledger
/// keeps.
@Suite("Replay", .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
struct ReplayTests {
    private let folder: Program.Folder

    init() throws {
        folder = try Program.Folder()
        try TinyModel.write(in: folder)
        try folder.writeLog(sessions: 3)
    }

    private func arguments(_ more: [String] = [], iterations: Int = 16) -> [String] {
        let share = more.contains("--replay-share") ? [] : ["--replay-share", "0.3"]
        return [
            "sleep", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--no-gate",
            "--batch-size", "2", "--rehearsal", "0", "--held-out", "0", "--report-questions", "0",
            "--iters", "\(iterations)", "--json",
        ] + share + more
    }

    private func sleep(_ more: String...) throws -> Program.Outcome {
        try Program.run(arguments(more), in: folder)
    }

    private func counts(_ outcome: Program.Outcome) throws -> [Int?] {
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try Program.json(outcome)
        return ["exchanges_new", "exchanges_replayed", "exchanges_waiting"].map {
            report[$0] as? Int
        }
    }

    private func hashes(ofVersion number: Int) throws -> Set<String> {
        let data = try #require(folder.bytes("adapters/versions/000\(number)/night.json"))
        let night = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        return Set(night["trained"] as? [String] ?? [])
    }

    @Test("A night trains what is new and a share of what is due; going back makes it new again")
    func nights() throws {
        #expect(try counts(try sleep()) == [6, 0, 0])
        let first = try hashes(ofVersion: 1)
        try folder.writeLog(sessions: 5)
        let second = try sleep()
        #expect(try counts(second) == [4, 2, 4])
        #expect(second.errors.contains("4 exchanges are new, 2 older ones are rehearsed, 4 wait"))
        #expect(try hashes(ofVersion: 2).intersection(first).count == 2)
        // Going back to the first night makes the later exchanges new again.
        #expect(try Program.run("adapter", "use", "1", in: folder).status == 0)
        #expect(try counts(try sleep("--replay-share", "0")) == [4, 0, 6])
        #expect(try hashes(ofVersion: 3).isDisjoint(with: first))
        #expect(try counts(try sleep("--reset-adapter")) == [10, 0, 0])
        #expect(try counts(try sleep("--replay-share", "1")) == [0, 10, 0])
    }

    @Test("What the steps did not reach is still new the next night")
    func unreached() throws {
        #expect(
            try counts(try Program.run(arguments(iterations: 2), in: folder)) == [6, 0, 0])
        #expect(try counts(try sleep("--replay-share", "0")) == [2, 0, 4])
    }

    @Test("A night that is rejected leaves its exchanges new")
    func rejected() throws {
        // Only a trained model can become worse.
        let night = [
            "sleep", "--memory-file", "log.jsonl", "--rehearsal", "0", "--lora-layers", "1",
            "--warmup", "0", "--report-questions", "0", "--replay-share", "0", "--json",
        ]
        func honest() throws -> [Int?] {
            try counts(try Program.run(night + ["--iters", "8", "--no-gate"], in: folder))
        }
        let first = try honest()
        try folder.writeLog(sessions: 6)
        let broken = try Program.run(
            night + ["--iters", "8", "--learning-rate", "0.5"], in: folder)
        #expect(broken.status == 2)
        let new = try #require(try Program.json(broken)["exchanges_new"] as? Int)
        #expect(new > 0)
        #expect(try honest() == [new, 0, first[0]])
    }

    @Test("Without anything new it rehearses, or with --only-if-due stays in bed and says so")
    func nothingNew() throws {
        #expect(try counts(try sleep()) == [6, 0, 0])
        let due = try sleep("--only-if-due")
        #expect(try counts(due) == [0, 6, 0])
        #expect(due.errors.contains("nothing is new: 6 older exchanges are rehearsed"))
        let adapter = folder.bytes("adapters/nightly_update/adapters.safetensors")
        let none = try sleep("--only-if-due")
        #expect(none.status == 0 && none.output.isEmpty)
        #expect(none.errors.contains("nothing is due"))
        #expect(folder.bytes("adapters/nightly_update/adapters.safetensors") == adapter)
        #expect(try folder.jsonLines("adapters/nights.jsonl").count == 2)
        #expect(!folder.exists("adapters/.training"))
        let refused = try sleep("--replay-share", "0")
        #expect(refused.status == 2 && refused.errors.contains("learnt every exchange"))
        // With --only-if-due the same is a success.
        #expect(try sleep("--replay-share", "0", "--only-if-due").status == 0)
        // Without --only-if-due the night runs.
        #expect(try counts(try sleep()) == [0, 6, 0])
    }

    @Test("What was forgotten never comes back through replay, what is held out never comes")
    func forgotten() throws {
        try folder.writeLog(sessions: 5)
        let held = ["--held-out", "0.4"]
        let first = try Program.run(arguments() + held, in: folder)
        #expect(first.status == 0)
        let data = try #require(folder.bytes("adapters/versions/0001/night.json"))
        let night = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        let heldOut = Set(night["held_out"] as? [String] ?? [])
        let learnt = try hashes(ofVersion: 1)
        #expect(!heldOut.isEmpty && learnt.isDisjoint(with: heldOut))
        #expect(
            try Program.run(
                "forget", "--memory-file", "log.jsonl", "--id", "s0-0", "--id", "s1-0", "--id",
                "s2-0", "--id", "s3-0", "--id", "s4-0", "--yes", in: folder
            ).status == 0)
        for number in 2...3 {
            let outcome = try Program.run(arguments(["--replay-share", "1"]) + held, in: folder)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let trained = try hashes(ofVersion: number)
            #expect(trained.isDisjoint(with: heldOut))
            #expect(trained.count < learnt.count && trained.isSubset(of: learnt))
        }
    }

    @Test(
        "What is called bad after it was learnt is not in the next night's adapter, if a version is without it"
    )
    func calledBad() throws {
        #expect(try counts(try sleep()) == [6, 0, 0])
        try folder.writeLog(sessions: 5)
        #expect(try counts(try sleep("--replay-share", "0")) == [4, 0, 6])
        func tag(_ id: String) throws {
            #expect(
                try Program.run(
                    "memory", "tag", "bad", id, "--memory-file", "log.jsonl", in: folder
                ).status == 0)
        }
        try tag("s3-1")
        let third = try sleep("--replay-share", "0")
        #expect(try counts(third) == [3, 0, 6])
        #expect(
            third.errors.contains("1 exchanges were marked bad")
                && third.errors.contains("versions/0001"))
        let parents = try folder.jsonLines("adapters/nights.jsonl").map { $0["parent"] as? Int }
        #expect(parents == [nil, 1, 1])
        // Every version was trained on this exchange, so the night continues from the present
        // adapter.
        try tag("s0-0")
        let fourth = try sleep("--replay-share", "1")
        #expect(try counts(fourth) == [0, 8, 0])
        #expect(!fourth.errors.contains("marked bad or tagged"))
    }

    @Test("A night with replay that is interrupted goes on to the same bits and the same ledger")
    func resumed() throws {
        #expect(try counts(try sleep()) == [6, 0, 0])
        try folder.writeLog(sessions: 5)
        let copy = folder.url.appendingPathComponent("kept")
        let adapters = folder.url.appendingPathComponent("adapters")
        try FileManager.default.copyItem(at: adapters, to: copy)
        let night = arguments(["--checkpoint-every", "5"], iterations: 150)
        #expect(try counts(try Program.run(night, in: folder)) == [4, 2, 4])
        func result() throws -> [String] {
            let manifest = try folder.read("adapters/nightly_update/training_manifest.json")
            let ledger = manifest.split(separator: "\n").filter { !$0.contains("\"written\"") }
            return [
                folder.bytes("adapters/nightly_update/adapters.safetensors")?.base64EncodedString()
                    ?? "", ledger.joined(separator: "\n"),
            ]
        }
        let expected = try result()
        #expect(expected[1].contains("\"count\" : 2"))
        try FileManager.default.removeItem(at: adapters)
        try FileManager.default.moveItem(at: copy, to: adapters)
        let running = try RunningProgram(night, in: folder)
        try running.wait(for: "no training") { running.errors.contains("step 10 of") }
        running.send(signal: SIGKILL)
        _ = try running.finish()
        #expect(try counts(try Program.run(night + ["--resume"], in: folder)) == [4, 2, 4])
        #expect(try result() == expected)
    }

    @Test("A rejected reply is told of in the night, and trains nothing")
    func rejectedReplies() throws {
        func line(_ id: String, _ user: String, _ reply: String) -> String {
            #"{"id":"\#(id)","session":"z","messages":[{"role":"user","content":"\#(user)"},"#
                + #"{"role":"assistant","content":"\#(reply)"}]}"# + "\n"
        }
        let log = try folder.read("log.jsonl")
        func night(_ bad: String) throws -> (weights: Data?, outcome: Program.Outcome) {
            try? FileManager.default.removeItem(
                at: folder.url.appendingPathComponent("adapters"))
            try folder.write(
                log + line("x", "How wide is the bank?", bad)
                    + line("y", "How wide is the bank??", "Forty metres."), to: "log.jsonl")
            let outcome = try sleep()
            return (folder.bytes("adapters/nightly_update/adapters.safetensors"), outcome)
        }
        let (first, outcome) = try night("A bank has a counter.")
        #expect(try counts(outcome) == [7, 0, 0])
        #expect(
            outcome.errors.contains("1 rejected") && outcome.errors.contains("1 corrections")
        )
        #expect(try night("All banks are closed.").weights == first)
        #expect(try Program.json(outcome)["replies_rejected"] as? Int == 1)
        let report = try Program.run("report", "--text", "--memory-file", "log.jsonl", in: folder)
        #expect(report.output.contains("rejected: corrected in y (asked again)"))
    }
}
