import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of `memory import|search|show|tag|untag`.
@Suite("Memory commands")
struct MemoryCommandTests {
    private let folder: Program.Folder

    init() throws {
        folder = try Program.Folder()
        try folder.writeLog(to: "data/memories.jsonl")
    }

    private func run(_ arguments: String...) throws -> Program.Outcome {
        try Program.run(arguments, in: folder)
    }

    @Test("Import adds what is new, once, without secrets")
    func importing() throws {
        let secret = "sk" + "-proj-" + String(repeating: "a1B2", count: 12)
        try folder.write(
            """
            [{"uuid":"u1","created_at":"2026-03-01T09:00:00Z","chat_messages":[
            {"sender":"human","text":"my key is \(secret)","created_at":"2026-03-01T09:00:01Z"},
            {"sender":"assistant","text":"Keep it safe.","created_at":"2026-03-01T09:00:05Z"}]}]
            """, to: "conversations.json")
        let first = try Program.json(
            try run("memory", "import", "conversations.json", "--tag", "old", "--json"))
        #expect(first["format"] as? String == "claude" && first["added"] as? Int == 1)
        #expect(first["redacted"] as? Int == 1)
        let second = try Program.json(try run("memory", "import", "conversations.json", "--json"))
        #expect(second["added"] as? Int == 0 && second["already_there"] as? Int == 1)
        let lines = try folder.jsonLines("data/memories.jsonl")
        try #require(lines.count == 13)
        #expect(
            lines[12]["session"] as? String == "u1" && lines[12]["tags"] as? [String] == ["old"])
        #expect(lines[12]["timestamp"] as? String == "2026-03-01T09:00:01Z")
        let text = try folder.read("data/memories.jsonl")
        #expect(!text.contains(secret) && text.contains("[redacted: API key]"))
        let broken = try run("memory", "import", "tiny-nothing.json")
        #expect(broken.status == 1)
        try folder.write("rubbish", to: "rubbish.json")
        let rubbish = try run("memory", "import", "rubbish.json")
        #expect(rubbish.status == 1 && rubbish.errors.contains("rubbish.json"))
        #expect(!rubbish.errors.contains("\"rubbish\""))
    }

    @Test("Search finds by words, show gives an exchange whole")
    func searching() throws {
        let found = try Program.jsonLines(
            try run("memory", "search", "do you like bread?", "--top-k", "2", "--json").output)
        #expect(found.count == 2)
        #expect((found.first?["text"] as? String)?.contains("bread") == true)
        let shown = try run("memory", "show", "s1-0")
        #expect(shown.status == 0)
        #expect(shown.output.contains("id: s1-0") && shown.output.contains("session: s1"))
        #expect(try run("memory", "show", "nobody").status == 1)
    }

    @Test("Tags keep an exchange out of training, and route says so")
    func tagging() throws {
        #expect(try run("memory", "tag", "#no-train", "s1-0", "s1-1").status == 0)
        let lines = try folder.jsonLines("data/memories.jsonl")
        #expect(lines.count { ($0["tags"] as? [String]) == ["no-train"] } == 2)
        let route = try run("route", "--explain")
        let line = route.output.split(separator: "\n").first { $0.hasPrefix("s1-0") }
        #expect(line?.contains("does not train: tagged “no-train”") == true)
        #expect(route.errors.contains("10 train"))
        #expect(try run("memory", "untag", "no-train", "s1-0").status == 0)
        #expect(
            try run("memory", "search", "like", "--tag", "no-train", "--json").output
                .split(separator: "\n").count == 1)
        #expect(try run("memory", "tag", "no-train", "nobody").status == 1)
        #expect(try run("memory", "tag", "no-train").status == 64)
    }

    @Test(
        "no-rag takes an exchange out of the store",
        .enabled(if: Program.hasEmbedder, "all-minilm-l6-v2 is not installed"))
    func store() throws {
        #expect(try run("rag", "ingest", "--all").status == 0)
        #expect(try run("memory", "tag", "no-rag", "s1-0").status == 0)
        #expect(try run("rag", "show", "s1-0").status == 1)
        #expect(try run("memory", "tag", "kind", "s1-1").status == 0)
        let shown = try Program.json(try run("rag", "show", "s1-1", "--json"))
        #expect(shown["tags"] as? [String] == ["kind"])
        let stats = try Program.json(try run("rag", "stats", "--json"))
        #expect(stats["exchanges"] as? Int == 11 && stats["sessions"] as? Int == 6)
        #expect(try run("rag", "export", "--out", "out.jsonl").status == 0)
        #expect(try folder.jsonLines("out.jsonl").count == 11)
        #expect(try folder.mode("out.jsonl") == 0o600)
        #expect(try run("rag", "export", "--out", "out.jsonl").status == 1)
        let streamed = try run("rag", "export")
        #expect(streamed.output == (try folder.read("out.jsonl")))
    }
}
