import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of commands with a real Chroma server that are killed at random moments.
@Suite(
    "Chroma commands",
    .enabled(
        if: ChromaServer.program != nil && Program.hasModel && Program.hasEmbedder,
        "a Chroma server or a model is missing"),
    .serialized)
struct ChromaCommandTests {
    private let folder: Program.Folder
    private let server: ChromaServer
    private let flags: [String]

    init() throws {
        folder = try Program.Folder()
        try folder.writeLog(sessions: 9, to: "data/memories.jsonl")
        server = try ChromaServer(data: folder.url.appendingPathComponent("server"))
        flags = ["--rag-backend", "chroma", "--rag-url", server.address]
        for _ in 0..<10 where try run(["rag", "stats"] + flags).status != 0 {}
    }

    private func run(_ arguments: [String]) throws -> Program.Outcome {
        try Program.run(arguments, in: folder)
    }

    private func ids(_ more: [String]) throws -> [String] {
        try Program.jsonLines(try run(["rag", "list", "--json"] + more).output)
            .compactMap { $0["id"] as? String }
    }

    /// Starts a command several times and kills it at random moments.
    private func kill(_ arguments: [String], times: Int = 4, within seconds: Double) throws {
        var moments = KillMoments()
        for _ in 0..<times {
            let running = try RunningProgram(arguments, in: folder)
            moments.wait(0.1...1, of: seconds)
            running.send(signal: SIGKILL)
            _ = try running.finish()
        }
    }

    @Test(
        "A killed ingest and a killed migration are completed by the next; nothing is lost or doubled"
    )
    func killed() throws {
        let all = try folder.jsonLines("data/memories.jsonl").compactMap { $0["id"] as? String }
        let ingest = ["rag", "ingest", "--all"] + flags
        try kill(ingest, within: 0.6)
        #expect(try run(ingest).status == 0)
        #expect(try ids(flags).sorted() == all.sorted())
        let back = ["rag", "migrate", "--from", "chroma", "--to", "sqlite"] + flags.suffix(2)
        try kill(back, within: 0.4)
        #expect(try run(back).status == 0)
        #expect(try ids([]).sorted() == all.sorted())
        #expect(try run(["rag", "clear"] + flags).status == 0)
        let there = ["rag", "migrate", "--from", "sqlite", "--to", "chroma"] + flags.suffix(2)
        try kill(there, within: 0.4)
        #expect(try run(there).status == 0)
        #expect(try ids(flags).sorted() == all.sorted())
        let numbers = try [flags, []].map {
            try Program.json(try run(["rag", "stats", "--json"] + $0))["vectors"] as? Int
        }
        #expect(numbers[0] == numbers[1] && numbers[0] != nil)
    }

    @Test("Secrets reach no server, nor does what is tagged no-rag")
    func privacy() throws {
        let secret = "sk" + "-proj-" + String(repeating: "a1B2", count: 12)
        try folder.write(
            """
            {"id":"key","messages":[{"role":"user","content":"my key is \(secret)"},\
            {"role":"assistant","content":"Fine."}]}
            {"id":"mine","tags":["no-rag"],"messages":[{"role":"user","content":"xylophonist"},\
            {"role":"assistant","content":"Fine."}]}

            """, to: "private.jsonl")
        #expect(
            try run(["rag", "ingest", "--all", "--memory-file", "private.jsonl"] + flags).status
                == 0)
        #expect(try ids(flags) == ["key"])
        #expect(try run(["rag", "show", "key"] + flags).output.contains("[redacted"))
        server.stop()
        let kept = try #require(
            FileManager.default.enumerator(at: folder.url, includingPropertiesForKeys: nil))
        for case let file as URL in kept where file.lastPathComponent != "private.jsonl" {
            let bytes = (try? Data(contentsOf: file)) ?? Data()
            #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(file.lastPathComponent)")
            #expect(bytes.range(of: Data("xylophonist".utf8)) == nil, "\(file.lastPathComponent)")
        }
    }

    @Test(
        "While the server is down, a killed forget blocks no other command; it is completed afterwards"
    )
    func forgetKilled() throws {
        #expect(try run(["rag", "ingest", "--all"] + flags).status == 0)
        let journal = "data/memories.jsonl.forgetting"
        for _ in 0..<20 where !folder.exists(journal) {
            let running = try RunningProgram(["forget", "--query", "tea", "--yes"], in: folder)
            while !folder.exists(journal), !running.hasEnded {}
            server.stop()
            running.send(signal: SIGKILL)
            _ = try running.finish()
        }
        try #require(folder.exists(journal), "the command ended before it was killed")
        for command in [
            ["memory", "search", "bread"], ["route"], ["rag", "ingest", "--all"],
            ["memory", "show", "s1-1"],
        ] {
            let outcome = try run(command)
            #expect(outcome.status == 0, "\(command): \(outcome.errors)")
            #expect(!outcome.output.contains("Do you like tea"))
        }
        let again = try ChromaServer(
            data: folder.url.appendingPathComponent("server"), port: server.port)
        defer { again.stop() }
        for _ in 0..<10 where folder.exists(journal) { _ = try run(["route"]) }
        #expect(!folder.exists(journal))
        let texts = try run(["rag", "list", "--json"] + flags).output
        #expect(texts.contains("bread") && !texts.contains("Do you like tea"))
    }
}
