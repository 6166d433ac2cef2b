import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of the records of evaluate, sleep, evaluate.
@Suite("Run cycle", .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
struct RunCycleTests {
    private let folder: Program.Folder

    init() throws {
        folder = try Program.Folder()
        try TinyModel.write(in: folder)
        try folder.writeLog()
        try folder.write(
            """
            {"id":"m1","category":"math","prompt":"2 + 2?","scorer":{"type":"numeric","answer":4},\
            "max_tokens":2}
            {"id":"m2","category":"math","prompt":"3 + 2?","scorer":{"type":"numeric","answer":5},\
            "max_tokens":2}

            """, to: "prompts.jsonl")
    }

    private func cycle(_ more: String...) throws -> Program.Outcome {
        try Program.run(
            [
                "run-cycle", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--prompts",
                "prompts.jsonl", "--json", "--sleep-iters", "2", "--sleep-rehearsal", "0",
                "--sleep-no-gate",
            ] + more, in: folder)
    }

    @Test("One line of experiments.jsonl tells what was really done")
    func record() throws {
        let outcome = try cycle(
            "--tag", "first", "--sleep-lora-r", "4", "--sleep-learning-rate", "0.001",
            "--sleep-batch-size", "3", "--seed", "7")
        #expect(outcome.status == 0)
        let records = try folder.jsonLines("logs/experiments.jsonl")
        try #require(records.count == 1)
        let record = records[0]
        #expect(record["tag"] as? String == "first")
        #expect((record["code_version"] as? String)?.isEmpty == false)
        #expect((record["seconds"] as? Double).map { $0 > 0 } == true)
        for side in ["before", "after"] {
            let values = try #require(record[side] as? [String: Any])
            #expect((values["loss"] as? Double).map { $0 > 0 } == true)
            #expect(values["harness_total"] as? Int == 2)
        }
        let sleep = try #require(record["sleep"] as? [String: Any])
        let options = try #require(sleep["options"] as? [String: Any])
        #expect(options["lora_rank"] as? Int == 4)
        #expect(options["iterations"] as? Int == 2)
        #expect(options["batch_size"] as? Int == 3)
        #expect(options["seed"] as? Int == 7)
        #expect((options["learning_rate"] as? Double).map { abs($0 - 0.001) < 1e-8 } == true)
        #expect(
            NSDictionary(dictionary: try Program.json(outcome)) == NSDictionary(dictionary: record))
        #expect(try folder.mode("logs/experiments.jsonl") == 0o600)

        let rows = try folder.read("logs/loss.csv").split(separator: "\n")
        #expect(rows.count == 1 + 2 * 12)
        #expect(rows.first == "tag,id,loss,tokens")
        #expect(rows.count { $0.hasPrefix("first-pre,") } == 12)
        #expect(rows.count { $0.hasPrefix("first-post,") } == 12)
        let summary = try folder.read("logs/eval_summary.json")
        #expect(summary.contains("first-post") && summary.contains("\"total\" : 2"))

        #expect(try cycle("--tag", "second").status == 0)
        #expect(
            try folder.jsonLines("logs/experiments.jsonl").compactMap { $0["tag"] as? String }
                == ["first", "second"])
    }

    @Test("Ctrl-C while measuring ends the cycle at once")
    func interrupted() throws {
        try folder.writeLog(sessions: 9)
        let prompts = (0..<3000).map {
            #"{"id":"p\#($0)","category":"math","prompt":"2 + 2?","max_tokens":60,"#
                + #""scorer":{"type":"numeric","answer":4}}"# + "\n"
        }
        try folder.write(prompts.joined(), to: "prompts.jsonl")
        let cycle = try RunningProgram(
            [
                "run-cycle", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--prompts",
                "prompts.jsonl",
            ], in: folder)
        try cycle.wait(for: "no measuring") { folder.exists("logs/loss.csv") }
        cycle.send(signal: SIGINT)
        try cycle.wait(for: "it went on", seconds: 5) { cycle.hasEnded }
        #expect(try cycle.finish().status != 0)
        #expect(!folder.exists("logs/experiments.jsonl"))
    }
}
