import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of `rag ingest|search|list|clear`.
@Suite("Retrieval commands", .enabled(if: Program.hasEmbedder, "all-minilm-l6-v2 is not installed"))
struct RagCommandTests {
    private let folder: Program.Folder

    init() throws {
        folder = try Program.Folder()
        try folder.write(
            """
            {"id":"bees","timestamp":"2026-11-20T09:00:00Z","messages":[{"role":"user",\
            "content":"My sister keeps bees near Ghent, at https://example.org"},\
            {"role":"assistant","content":"How lovely"}]}
            {"id":"tone","messages":[{"role":"user","content":"Be brief, please"},\
            {"role":"assistant","content":"Yes"}]}

            """, to: "log.jsonl")
    }

    private func ingest(_ more: String...) throws -> [String: Any] {
        let outcome = try Program.run(
            ["rag", "ingest", "--json", "--memory-file", "log.jsonl"] + more, in: folder)
        #expect(outcome.status == 0)
        return try Program.json(outcome)
    }

    @Test("Ingest takes what the router sends, --all the rest, and nothing twice")
    func selection() throws {
        let first = try ingest()
        #expect(first["added"] as? Int == 1 && first["not_selected"] as? Int == 1)
        let second = try ingest("--all")
        #expect(second["added"] as? Int == 1 && second["already_there"] as? Int == 1)
        #expect(try folder.mode("data/rag_memory") == 0o700)
        for name in try folder.names("data/rag_memory") {
            #expect(try folder.mode("data/rag_memory/" + name) == 0o600, "\(name)")
        }
    }

    @Test("Search gives one line per query, in order, with the contract's keys")
    func search() throws {
        _ = try ingest("--all")
        try folder.write(
            "{\"question\":\"Who keeps bees?\"}\n{\"question\":\"How should I answer?\"}\n",
            to: "queries.jsonl")
        let outcome = try Program.run(
            "rag", "search", "--json", "--queries", "queries.jsonl", "--top-k", "2", in: folder)
        #expect(outcome.status == 0)
        let rows = try Program.jsonLines(outcome.output)
        #expect(
            rows.map { $0["query"] as? String } == ["Who keeps bees?", "How should I answer?"])
        let results = rows.compactMap { $0["results"] as? [[String: Any]] }
        try #require(results.count == 2)
        #expect(results[0].first?["id"] as? String == "bees")
        // The time of an exchange without one is null, not absent.
        for hit in results.joined() {
            #expect(Set(hit.keys) == ["id", "score", "timestamp", "text"])
        }
        let one = try Program.run("rag", "search", "--json", "Who keeps bees?", in: folder)
        #expect(try Program.json(one)["query"] as? String == "Who keeps bees?")
        let text = try Program.run("rag", "search", "Who keeps bees?", in: folder)
        #expect(text.output.contains("bees"))
    }

    @Test("A broken query file names the line")
    func brokenQueries() throws {
        try folder.write("{\"question\":\"a\"}\nrubbish\n", to: "queries.jsonl")
        let outcome = try Program.run("rag", "search", "--queries", "queries.jsonl", in: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("queries.jsonl:2") && !outcome.errors.contains("rubbish"))
        #expect(outcome.output.isEmpty)
    }

    @Test("List and clear")
    func listAndClear() throws {
        _ = try ingest("--all")
        let list = try Program.jsonLines(
            try Program.run("rag", "list", "--json", in: folder).output)
        #expect(Set(list.compactMap { $0["id"] as? String }) == ["bees", "tone"])
        let cleared = try Program.run("rag", "clear", "--json", in: folder)
        #expect(try Program.json(cleared)["removed"] as? Int == 2)
        #expect(try Program.run("rag", "list", in: folder).output.isEmpty)
        #expect(folder.exists("log.jsonl"))
    }

    @Test("Neither or both of QUERY and --queries is a usage error")
    func usage() throws {
        #expect(try Program.run("rag", "search", in: folder).status == 64)
        #expect(try Program.run("rag", "search", "a", "--queries", "b", in: folder).status == 64)
        #expect(try Program.run("rag", "search", "a", "--now", "soon", in: folder).status == 64)
    }

    @Test("bench --search fills a store, measures it, and grows one that it is given")
    func benchSearch() throws {
        func measured(_ count: Int) throws -> [String: Any] {
            let outcome = try Program.run(
                "bench", "--json", "--search", "\(count)", "--search-folder", "store",
                "--threads", "2", in: folder)
            #expect(outcome.status == 0)
            let result = try Program.json(outcome)
            #expect(Set(result.keys) == ["isa", "threads", "search"])
            #expect(result["threads"] as? Int == 2)
            return try #require(result["search"] as? [String: Any])
        }
        let first = try measured(70)
        #expect(
            Set(first.keys) == [
                "exchanges", "added", "fill_seconds", "open_seconds", "first_search_seconds",
                "search_seconds", "search_seconds_p90", "embedding_seconds", "disk_bytes",
                "peak_rss_bytes",
            ])
        #expect(first["exchanges"] as? Int == 70 && first["added"] as? Int == 70)
        #expect((first["disk_bytes"] as? Int).map { $0 > 70 * 700 } == true)
        let second = try measured(100)
        #expect(second["exchanges"] as? Int == 100 && second["added"] as? Int == 30)
        // The folder contains an ordinary store.
        let stats = try Program.json(
            try Program.run("rag", "stats", "--json", "--rag-dir", "store", in: folder))
        #expect(stats["exchanges"] as? Int == 100 && stats["vectors"] as? Int == 200)
        let without = try Program.run("bench", "--search-folder", "store", in: folder)
        #expect(without.status != 0 && without.errors.contains("--search"))
    }
}
