import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of the versions of nights, and of going back to them.
@Suite("Versions", .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
struct VersionsTests {
    private let folder: Program.Folder
    private let active = "adapters/nightly_update/adapters.safetensors"

    init() throws {
        folder = try Program.Folder()
        try TinyModel.write(in: folder)
        try folder.writeLog(to: "data/memories.jsonl")
    }

    private func run(_ arguments: String...) throws -> Program.Outcome {
        try Program.run(arguments, in: folder)
    }

    private func sleep(_ more: String...) throws -> Program.Outcome {
        try Program.run(
            [
                "sleep", "--model", TinyModel.path, "--iters", "2", "--batch-size", "2",
                "--rehearsal", "0", "--no-gate", "--json",
            ] + more, in: folder)
    }

    private func weights(of version: Int) -> Data? {
        folder.bytes("adapters/versions/000\(version)/adapters.safetensors")
    }

    private func list() throws -> [[String: Any]] {
        let outcome = try run("adapter", "list", "--json")
        return try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
            as? [[String: Any]] ?? []
    }

    private func numbers(_ rows: [[String: Any]], where key: String? = nil) -> [Int] {
        rows.filter { row in key.map { row[$0] as? Bool == true } ?? true }
            .compactMap { $0["version"] as? Int }
    }

    @Test("Every accepted night leaves a version with its manifest, and a line of nights.jsonl")
    func nights() throws {
        for version in 1...3 {
            let report = try Program.json(try sleep())
            #expect(report["version"] as? Int == version)
            #expect(weights(of: version) == folder.bytes(active))
        }
        #expect(weights(of: 1) != weights(of: 2) && weights(of: 2) != weights(of: 3))
        let lines = try folder.jsonLines("adapters/nights.jsonl")
        #expect(lines.map { $0["version"] as? Int } == [1, 2, 3])
        #expect(lines.map { $0["parent"] as? Int } == [nil, 1, 2])
        #expect(lines.allSatisfy { $0["trained"] == nil })
        let data = try #require(folder.bytes("adapters/versions/0001/night.json"))
        let night = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        #expect((night["recipe"] as? [String: String])?["--iters"] == "2")
        #expect((night["code_version"] as? String)?.isEmpty == false)
        #expect(night["accepted"] as? Bool == true)
        let trained = try #require(night["trained"] as? [String])
        let held = try #require(night["held_out"] as? [String])
        #expect(trained.count + held.count == 12 && Set(trained).isDisjoint(with: held))
        for file in ["nights.jsonl", "versions/0002/night.json"] {
            #expect(try folder.mode("adapters/\(file)") == 0o600)
        }
        for name in ["versions", "versions/0002"] {
            #expect(try folder.mode("adapters/\(name)") == 0o700)
        }
        #expect(!(try folder.read("adapters/nights.jsonl").contains("Of course")))

        let rows = try list()
        #expect(numbers(rows) == [1, 2, 3] && numbers(rows, where: "in_use") == [3])
        let text = try run("adapter", "list").output
        #expect(text.contains("* 0003     0002") && text.contains("  0001     base"))
        let shown = try run("adapter", "show", "2", "--model", TinyModel.path)
        #expect(shown.output.contains("version 0002: promoted"), "\(shown.errors)")
    }

    @Test("A night removes the oldest versions beyond those that are to be kept, never one in use")
    func pruning() throws {
        for _ in 1...2 { #expect(try sleep("--keep-versions", "2").status == 0) }
        #expect(numbers(try list()) == [1, 2])
        let third = try sleep("--keep-versions", "2")
        #expect(numbers(try list()) == [2, 3] && third.errors.contains("removed: version 0001"))
        // A rejected night removes nothing, and another adapter keeps its own.
        #expect(
            try run("sleep", "--model", TinyModel.path, "--iters", "2", "--keep-versions", "1")
                .status == 2)
        #expect(numbers(try list()) == [2, 3])
        let other = try sleep("--keep-versions", "1", "--adapter-dir", "adapters/other")
        #expect(other.status == 0, "\(other.errors)")
        #expect(numbers(try list()).contains(3))
        #expect(try sleep("--keep-versions", "0").status == 0)
        #expect(try sleep("--keep-versions", "-1").status == 64)
        #expect(try folder.jsonLines("adapters/nights.jsonl").count == 6)
    }

    @Test("use and rollback change the adapter, the next night goes on from there")
    func goingBack() throws {
        for _ in 1...3 { #expect(try sleep().status == 0) }
        #expect(try run("adapter", "use", "1").status == 0)
        #expect(folder.bytes(active) == weights(of: 1))
        #expect(numbers(try list(), where: "in_use") == [1])
        // The fourth version was trained from the first, like the second.
        #expect(try sleep().status == 0)
        #expect(try folder.jsonLines("adapters/nights.jsonl").last?["parent"] as? Int == 1)
        #expect(weights(of: 4) == weights(of: 2))

        #expect(try run("adapter", "rollback").status == 0)
        #expect(folder.bytes(active) == weights(of: 1))
        let base = try run("adapter", "rollback")
        #expect(base.status == 0)
        #expect(base.output.contains("this is the base model again"))
        #expect(!folder.exists("adapters/nightly_update"))
        #expect(try run("adapter", "rollback").status == 2)
        #expect(try run("adapter", "use", "0003").status == 0)
        #expect(folder.bytes(active) == weights(of: 3))
        let unknown = try run("adapter", "use", "9")
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("version 0009 is not kept"))
        #expect(try run("adapter", "use", "best").errors.contains("is not a version's number"))
        let inside = try sleep("--adapter-dir", "adapters/versions/0003")
        #expect(inside.status == 1)
        #expect(inside.errors.contains("this is a kept version, which no night may change"))
    }

    @Test("Versions that know what was forgotten are refused, passed over and pruned")
    func forgotten() throws {
        #expect(try sleep("--held-out", "0").status == 0)
        try folder.writeLog(sessions: 7, to: "data/memories.jsonl")
        for _ in 2...3 { #expect(try sleep("--held-out", "0").status == 0) }
        let forget = try run("forget", "--id", "s6-0", "--yes")
        #expect(
            forget.errors.contains("the kept versions 0002, 0003 were trained"), "\(forget.errors)")
        #expect(numbers(try list(), where: "stale") == [2, 3])
        let refused = try run("adapter", "use", "2")
        #expect(refused.status == 2)
        #expect(refused.errors.contains("trained on exchanges that were forgotten since"))
        #expect(folder.bytes(active) == weights(of: 3))
        // The rollback skips 0002.
        #expect(try run("adapter", "rollback").status == 0)
        #expect(folder.bytes(active) == weights(of: 1))
        #expect(try run("adapter", "prune", "--stale").output.contains("removed: 0002, 0003"))
        #expect(numbers(try list()) == [1])
        // Numbers are never reused.
        #expect(try Program.json(try sleep())["version"] as? Int == 4)
    }

    @Test("prune keeps the newest and the one in use")
    func prune() throws {
        for _ in 1...4 { #expect(try sleep().status == 0) }
        #expect(try run("adapter", "use", "1").status == 0)
        let outcome = try run("adapter", "prune", "--keep", "2", "--json")
        #expect(try Program.json(outcome)["removed"] as? [Int] == [2, 3])
        #expect(numbers(try list()) == [1, 4])
        #expect(try run("adapter", "prune", "--keep", "0").status == 0)
        #expect(numbers(try list()) == [1])
        #expect(try run("adapter", "prune", "--keep", "-1").status == 64)
    }

    @Test("diff says how far two versions are apart and what trained them")
    func diff() throws {
        #expect(try sleep().status == 0)
        #expect(try sleep("--iters", "3", "--learning-rate", "0.001").status == 0)
        let report = try Program.json(try run("adapter", "diff", "1", "2", "--json"))
        let difference = try #require(report["weights"] as? [String: Any])
        #expect((difference["norm_difference"] as? Double).map { $0 > 0 } == true)
        #expect((difference["cosine"] as? Double).map { abs($0) <= 1 } == true)
        let flags = (report["recipe"] as? [[String: Any]])?.compactMap { $0["flag"] as? String }
        #expect(flags == ["--iters", "--learning-rate"])
        #expect(report["exchanges_only_from"] as? Int == 0)
        let same = try Program.json(try run("adapter", "diff", "2", "--json"))
        let none = try #require(same["weights"] as? [String: Any])
        #expect((none["norm_difference"] as? Double).map { $0 < 1e-6 } == true)
        let text = try run("adapter", "diff", "1", "2").output
        #expect(text.contains("--iters: 2 → 3"))
    }

    @Test("An adapter that no night made is kept before the first night goes on from it")
    func adopted() throws {
        #expect(try sleep().status == 0)
        let first = try #require(folder.bytes(active))
        for name in ["versions", "nights.jsonl", "nightly_update/night.json"] {
            try FileManager.default.removeItem(
                at: folder.url.appendingPathComponent("adapters/\(name)"))
        }
        #expect(try sleep().status == 0)
        #expect(weights(of: 1) == first && weights(of: 2) == folder.bytes(active))
        #expect(try run("adapter", "rollback").status == 0)
        #expect(folder.bytes(active) == first)
    }

    @Test(
        "A night that ends between its version and its promotion is completed by the next",
        arguments: [true, false])
    func beforePromotion(resumes: Bool) throws {
        #expect(try sleep().status == 0)
        // A folder inside the adapter's folder makes promotion fail, as if the night was killed
        // there.
        let inner = folder.url.appendingPathComponent("adapters/nightly_update/inner")
        try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: false)
        #expect(try sleep().status == 1)
        #expect(weights(of: 2) != nil && folder.bytes(active) == weights(of: 1))
        #expect(try folder.jsonLines("adapters/nights.jsonl").count == 1)
        try FileManager.default.removeItem(at: inner)

        let next = try resumes ? sleep("--resume") : sleep()
        #expect(next.status == 0, "\(next.errors)")
        #expect(next.errors.contains("had ended"))
        #expect(try Program.json(next)["version"] as? Int == (resumes ? 2 : 3))
        let nights = try folder.jsonLines("adapters/nights.jsonl")
        #expect(nights.compactMap { $0["version"] as? Int } == (resumes ? [1, 2] : [1, 2, 3]))
        #expect(nights.last?["parent"] as? Int == (resumes ? 1 : 2))
        #expect(folder.bytes(active) == weights(of: resumes ? 2 : 3))
        #expect(!folder.exists("adapters/.training"))
    }

    @Test("An open chat goes on and says once that a new adapter is there")
    func openChat() throws {
        #expect(try sleep().status == 0)
        #expect(try sleep().status == 0)
        let chat = try RunningProgram(
            ["chat", "--model", TinyModel.path, "--max-tokens", "3", "--temp", "0"], in: folder)
        func lines() -> Int {
            (try? folder.read("data/memories.jsonl").split(separator: "\n").count) ?? 0
        }
        let before = lines()
        chat.send("Hello")
        try chat.wait(for: "no reply") { lines() == before + 1 }
        #expect(!chat.errors.contains("a new adapter"))
        #expect(try run("adapter", "use", "1").status == 0)
        chat.send("Hello again")
        try chat.wait(for: "no news") {
            chat.errors.contains("a new adapter is there (version 0001)")
        }
        chat.send("And again")
        try chat.wait(for: "no reply") { lines() == before + 3 }
        chat.closeInput()
        let outcome = try chat.finish()
        #expect(outcome.errors.components(separatedBy: "a new adapter is there").count == 2)
    }
}
