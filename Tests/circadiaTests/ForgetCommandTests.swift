import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of `forget` in the log, the store and the weights.
@Suite("Forget", .enabled(if: Program.hasModel && Program.hasEmbedder))
struct ForgetCommandTests {
    private let folder: Program.Folder

    init() throws {
        folder = try Program.Folder()
        try folder.writeLog(to: "data/memories.jsonl")
    }

    private func run(_ arguments: String...) throws -> Program.Outcome {
        try Program.run(arguments, in: folder)
    }

    private func sleep() throws -> Program.Outcome {
        try run(
            "sleep", "--model", TinyModel.path, "--iters", "2", "--batch-size", "2",
            "--rehearsal", "0", "--no-gate", "--held-out", "0", "--json")
    }

    private func ids() throws -> [String] {
        try folder.jsonLines("data/memories.jsonl").compactMap { $0["id"] as? String }
    }

    private func storedIDs() throws -> [String] {
        try Program.jsonLines(try run("rag", "list", "--json").output)
            .compactMap { $0["id"] as? String }.sorted()
    }

    private func manifest() throws -> [String: Any] {
        let data = try #require(folder.bytes("adapters/nightly_update/training_manifest.json"))
        return try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    }

    @Test("Without --yes it shows what would go, changes nothing and exits with 2")
    func preview() throws {
        let before = folder.bytes("data/memories.jsonl")
        let outcome = try run("forget", "--on", "2026-11-21")
        #expect(outcome.status == 2)
        #expect(outcome.output.contains("s1-0") && outcome.output.contains("s1-1"))
        #expect(!outcome.output.contains("s2-"))
        #expect(outcome.errors.contains("nothing was changed"))
        #expect(folder.bytes("data/memories.jsonl") == before)
        #expect(
            !folder.exists("data/rag_memory") && !folder.exists("data/memories.jsonl.forgotten"))
        let json = try Program.json(try run("forget", "--query", "bread", "--json"))
        #expect(json["forgotten"] as? Bool == false)
        #expect((json["exchanges"] as? [Any])?.isEmpty == false)
    }

    @Test("Log, store and weights forget, and remember again")
    func everything() throws {
        try TinyModel.write(in: folder)
        #expect(try run("rag", "ingest", "--all").status == 0)
        #expect(try sleep().status == 0)
        let log = folder.bytes("data/memories.jsonl")
        #expect((try manifest()["trained"] as? [String])?.count == 12)
        let stored = try storedIDs()

        let outcome = try run("forget", "--id", "s2-0", "--id", "s4-1", "--yes", "--json")
        #expect(outcome.status == 0)
        let report = try Program.json(outcome)
        #expect(report["lines"] as? Int == 2 && report["stored"] as? Int == 2)
        #expect(report["stale_adapters"] as? [String] == ["adapters/nightly_update"])
        #expect(report["stale_versions"] as? [String] == ["0001"])
        #expect(try ids().count == 10 && !ids().contains("s2-0") && !ids().contains("s4-1"))
        #expect(try storedIDs().count == stored.count - 2)
        #expect((try manifest()["forgotten"] as? [String])?.count == 2)

        #expect(try run("forget", "--undo").status == 0)
        #expect(folder.bytes("data/memories.jsonl") == log)
        #expect(try storedIDs() == stored)
        #expect((try manifest()["forgotten"] as? [String])?.isEmpty == true)
        #expect(try run("forget", "--undo").status == 2)

        let purge = try run("forget", "--id", "s2-0", "--yes", "--purge")
        #expect(purge.status == 0)
        #expect(
            purge.errors.contains("1 kept versions were trained on what was forgotten"),
            "\(purge.errors)")
        #expect(try folder.names("adapters/versions").isEmpty)
        #expect(!folder.exists("data/memories.jsonl.forgotten"))
        #expect(try run("forget", "--undo").status == 2)
        #expect(try run("forget", "--id", "s2-0", "--yes").status == 2)
    }

    @Test("The next sleep retrains as if what was forgotten had never been said")
    func retraining() throws {
        try TinyModel.write(in: folder)
        #expect(try sleep().status == 0)
        #expect(try sleep().status == 0)
        #expect(try run("forget", "--id", "s3-0", "--yes").status == 0)
        let night = try sleep()
        #expect(night.status == 0)
        #expect(night.errors.contains("retrains without them, from the base model"))
        let weights = folder.bytes("adapters/nightly_update/adapters.safetensors")
        #expect((try manifest()["forgotten"] as? [String])?.isEmpty == true)
        #expect((try manifest()["trained"] as? [String])?.count == 11)

        // The same first night with a log that never had that line.
        try FileManager.default.removeItem(at: folder.url.appendingPathComponent("adapters"))
        #expect(try sleep().status == 0)
        #expect(folder.bytes("adapters/nightly_update/adapters.safetensors") == weights)
        // The next night continues from there.
        #expect(try sleep().errors.contains("retrains") == false)
    }

    @Test("While a sleep runs it is refused")
    func whileSleeping() throws {
        try TinyModel.write(in: folder)
        let night = try RunningProgram(
            ["sleep", "--model", TinyModel.path, "--iters", "1000000"], in: folder)
        try night.wait(for: "no training") { night.errors.contains("step 1 of") }
        #expect(try run("forget", "--id", "s1-0", "--yes").status == 2)
        #expect(try ids().count == 12)
        night.send(signal: SIGKILL)
        _ = try night.finish()
        #expect(try run("forget", "--id", "s1-0", "--yes").status == 0)
    }

    @Test("Usage errors")
    func usage() throws {
        #expect(try run("forget").status == 64)
        #expect(try run("forget", "--on", "soon").status == 64)
        #expect(try run("forget", "--query", "??").status == 64)
        #expect(try run("forget", "--undo", "--id", "a").status == 64)
        #expect(try run("forget", "--id", "none", "--yes").status == 2)
    }

    private static let kills = KillMoments.count(orElse: 6)

    @Test(
        "kill -9 at any moment: a repeated command completes the work, nothing is lost or doubled")
    func killed() throws {
        #expect(try run("rag", "ingest", "--all").status == 0)
        let log = try #require(folder.bytes("data/memories.jsonl"))
        let stored = try storedIDs()
        let start = Date()
        #expect(try run("forget", "--query", "tea", "--yes").status == 0)
        let length = Date().timeIntervalSince(start)
        let gone = Set(["s0-0", "s1-0", "s2-0", "s3-0", "s4-0", "s5-0"]).subtracting(try ids())
        let kept = try ids()
        #expect(!gone.isEmpty && kept.count < 12)
        let keptStored = try storedIDs()
        var (completed, untouched) = (0, 0)
        var moments = KillMoments()
        for round in 0..<Self.kills {
            // Forgotten → undo, killed → undo again; then forget, killed → forget again.
            for (arguments, expected, expectedStored) in [
                (["forget", "--undo"], 12, stored),
                (["forget", "--query", "tea", "--yes"], kept.count, keptStored),
            ] {
                let running = try RunningProgram(arguments, in: folder)
                if round % 2 == 0 {
                    moments.wait(0.2...1.1, of: length)
                } else {
                    // The work itself is short, so these kills are timed to hit it.
                    while !folder.exists("data/memories.jsonl.forgetting"), !running.hasEnded {}
                    moments.wait(microseconds: 0...30_000)
                }
                running.send(signal: SIGKILL)
                _ = try running.finish()
                let isPending = folder.exists("data/memories.jsonl.forgetting")
                let isDone = try ids().count == expected
                if isPending { completed += 1 } else if !isDone { untouched += 1 }
                // Repeats the command: it completes a pending one, or does what was not begun.
                if isPending || !isDone { _ = try run(arguments[0], Array(arguments.dropFirst())) }
                #expect(try ids().count == expected, "round \(round), \(arguments)")
                #expect(try storedIDs() == expectedStored, "round \(round), \(arguments)")
                #expect(!folder.exists("data/memories.jsonl.forgetting"))
                #expect(try integrity() == "ok")
            }
        }
        _ = try run("forget", "--undo")
        #expect(folder.bytes("data/memories.jsonl") == log)
        #expect(
            try folder.names("data").filter { $0.hasPrefix(".circadia") || $0.contains("forg") }
                .isEmpty)
        print("\(2 * Self.kills) kills: \(completed) inside the work, \(untouched) before it")
    }

    private func run(_ command: String, _ arguments: [String]) throws -> Program.Outcome {
        try Program.run([command] + arguments, in: folder)
    }

    /// Runs SQLite's integrity check of the store with the `sqlite3` program.
    private func integrity() throws -> String {
        let script =
            "import sqlite3; print(sqlite3.connect('data/rag_memory/memory.sqlite')"
            + ".execute('PRAGMA integrity_check').fetchone()[0])"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script]
        process.currentDirectoryURL = folder.url
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
