import CircadiaFiles
import Foundation
import Testing

/// Tests that this version reads the files of version 0.1.0, and that nights continue from them.
///
/// Fixtures/0.1.0/README.md says what each folder holds and how it was made. Nights run on scalar
/// kernels, as those of the fixtures did, because an unfinished night can only be resumed on the
/// ISA that it started with.
@Suite("Fixtures of 0.1.0")
struct Fixtures010Tests {
    private static let fixtures = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Fixtures/0.1.0", isDirectory: true)
    private static let weights = "adapters/nightly_update/adapters.safetensors"

    /// The results of the program that made the fixtures.
    private struct Expected: Decodable {
        /// SHA-256 of the adapter in use.
        let accepted: String
        /// The same after one more night, with the arguments `night`.
        let next: String
        /// The same after the unfinished night was resumed, with the arguments `unfinishedNight`.
        let resumed: String
        let night: [String]
        let unfinishedNight: [String]
    }

    private let folder: Program.Folder
    private let expected: Expected

    init() throws {
        folder = try Program.Folder()
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        expected = try decoder.decode(
            Expected.self,
            from: Data(contentsOf: Self.fixtures.appendingPathComponent("expected.json")))
        try lay("model", at: "model")
        try lay("home")
    }

    /// Copies a fixture's files into the folder, replacing existing ones.
    private func lay(_ fixture: String, at place: String = "") throws {
        let source = Self.fixtures.appendingPathComponent(fixture, isDirectory: true)
        let target = folder.url.appendingPathComponent(place, isDirectory: true)
        let names = try #require(FileManager.default.enumerator(atPath: source.path))
        for case let name as String in names {
            let from = source.appendingPathComponent(name)
            if try from.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true { continue }
            let file = target.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(contentsOf: from).write(to: file)
        }
    }

    private func run(_ arguments: [String]) throws -> Program.Outcome {
        try Program.run(arguments, in: folder, environment: ["CIRCADIA_ISA": "scalar"])
    }

    private func run(_ arguments: String...) throws -> Program.Outcome { try run(arguments) }

    private func ids(_ arguments: String...) throws -> [String] {
        let outcome = try run(arguments + ["--json"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try Program.jsonLines(outcome.output).compactMap { $0["id"] as? String }
    }

    private func digest() throws -> String {
        try #require(folder.bytes(Self.weights)).withUnsafeBytes {
            ContentDigest.hexadecimal(of: $0)
        }
    }

    /// Compares the adapter's bytes if this processor is of the same kind as the fixtures'. The
    /// mathematical library of another kind may round differently.
    private func expectWeights(_ expected: String) throws {
        #if arch(x86_64) && os(Linux)
            #expect(try digest() == expected)
        #endif
    }

    @Test("The log is searched, with its tags, and routed")
    func log() throws {
        #expect(try ids("memory", "search", "Petrel") == ["name"])
        #expect(try ids("memory", "search", "learn", "--tag", "no-train") == ["private"])
        let rows = try Program.jsonLines(try run("route", "--json").output)
        #expect(rows.count == 13)
        let untrained = rows.filter { $0["trains"] as? Bool == false }
        #expect(untrained.compactMap { $0["id"] as? String }.contains("private"))
        let log = try folder.jsonLines("data/memories.jsonl")
        let tags = log.compactMap { $0["tags"] as? [String] }
        #expect(tags.contains(["good"]))
        #expect(tags.contains { $0.contains("recalled:name") && $0.contains("bad") })
    }

    @Test(
        "The store is listed and searched",
        .enabled(if: Program.hasEmbedder, "all-minilm-l6-v2 is not installed"))
    func store() throws {
        let listed = try ids("rag", "list")
        #expect(listed.count == 12 && !listed.contains("fleeting"))
        let outcome = try run("rag", "search", "--json", "--top-k", "2", "the boat's name")
        let results = try Program.json(outcome)["results"] as? [[String: Any]]
        #expect(results?.first?["id"] as? String == "name", "\(outcome.errors)")
        // An ingest finds every exchange there.
        let again = try Program.json(try run("rag", "ingest", "--all", "--json"))
        #expect(again["added"] as? Int == 0 && again["already_there"] as? Int == 12)
    }

    @Test("Versions are listed, shown and gone back to")
    func versions() throws {
        let listed = try run("adapter", "list", "--json")
        let rows =
            try JSONSerialization.jsonObject(with: Data(listed.output.utf8)) as? [[String: Any]]
        #expect(rows?.map { $0["version"] as? Int } == [1, 2])
        #expect(rows?.map { $0["in_use"] as? Bool } == [false, true])
        let shown = try run("adapter", "show", "2", "--model", "model/")
        #expect(shown.status == 0 && shown.output.contains("version 0002: promoted"))
        #expect(try digest() == expected.accepted)
        #expect(try run("adapter", "rollback").status == 0)
        let first = folder.bytes("adapters/versions/0001/adapters.safetensors")
        #expect(first != nil && folder.bytes(Self.weights) == first)
    }

    @Test("The report reads the nights, accepted and rejected, and their diaries")
    func report() throws {
        let latest = try Program.json(try run("report", "--json"))
        #expect(latest["version"] as? Int == 3 && latest["accepted"] as? Bool == false)
        let history = latest["history"] as? [[String: Any]]
        #expect(history?.map { $0["version"] as? Int } == [3, 2, 1])
        #expect(history?.map { $0["is_in_use"] as? Bool } == [false, true, false])
        let second = try Program.json(try run("report", "0002", "--json"))
        #expect((second["training_loss"] as? [Any])?.count == 6)
        #expect((second["answers"] as? [[String: Any]])?.first?["before"] != nil)
        let text = try run("report", "--text")
        #expect(text.status == 0, "\(text.errors)")
    }

    @Test(
        "The next night goes on from the adapter",
        .enabled(if: Program.hasEmbedder, "all-minilm-l6-v2 is not installed"))
    func nextNight() throws {
        let outcome = try run(["sleep"] + expected.night + ["--json"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let night = try Program.json(outcome)
        #expect(night["version"] as? Int == 4)
        // Everything was learnt before.
        #expect(night["exchanges_new"] as? Int == 0)
        #expect(try folder.jsonLines("adapters/nights.jsonl").last?["parent"] as? Int == 2)
        try expectWeights(expected.next)
    }

    @Test(
        "An unfinished night goes on, or is refused with what to do",
        .enabled(if: Program.hasEmbedder, "all-minilm-l6-v2 is not installed"))
    func unfinished() throws {
        try lay("unfinished")
        let outcome = try run(["sleep"] + expected.unfinishedNight + ["--resume", "--json"])
        if outcome.status == 2 {
            #expect(outcome.errors.contains("sleep without --resume to start again"))
            #expect(try digest() == expected.accepted)
            return
        }
        #expect(outcome.status == 0, "\(outcome.errors)")
        let night = try Program.json(outcome)
        #expect(night["version"] as? Int == 4 && night["steps"] as? Int == 40)
        #expect(!folder.exists("adapters/.training"))
        try expectWeights(expected.resumed)
    }

    @Test(
        "What was forgotten comes back with --undo",
        .enabled(if: Program.hasEmbedder, "all-minilm-l6-v2 is not installed"))
    func undo() throws {
        let log = folder.bytes("data/memories.jsonl")
        let stored = try ids("rag", "list").sorted()
        try lay("forgotten")
        #expect(try ids("memory", "search", "tea").isEmpty)
        #expect(try !ids("rag", "list").contains("order"))
        func stale() throws -> [Bool] {
            let rows = try JSONSerialization.jsonObject(
                with: Data(try run("adapter", "list", "--json").output.utf8))
            return (rows as? [[String: Any]])?.compactMap { $0["stale"] as? Bool } ?? []
        }
        #expect(try stale() == [true, true])
        let outcome = try run("forget", "--undo")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(folder.bytes("data/memories.jsonl") == log)
        #expect(try ids("rag", "list").sorted() == stored)
        #expect(try stale() == [false, false])
    }

    @Test(
        "The journal of a killed forget is completed",
        .enabled(if: Program.hasEmbedder, "all-minilm-l6-v2 is not installed"))
    func journal() throws {
        try lay("forgetting")
        let name = "data/memories.jsonl.forgetting"
        let log = folder.url.appendingPathComponent("data/memories.jsonl").path
        var status = stat()
        #expect(stat(log, &status) == 0)
        let text = try folder.read(name)
            .replacingOccurrences(of: "@FOLDER@", with: folder.url.path)
            .replacingOccurrences(of: "@DEVICE@", with: "\(status.st_dev)")
            .replacingOccurrences(of: "@INODE@", with: "\(status.st_ino)")
        try folder.write(text, to: name)
        #expect(try ids("memory", "search", "tea").isEmpty)
        #expect(!folder.exists(name) && folder.exists("data/memories.jsonl.forgotten"))
        #expect(try folder.jsonLines("data/memories.jsonl").count == 12)
        #expect(try !ids("rag", "list").contains("tea"))
    }
}
