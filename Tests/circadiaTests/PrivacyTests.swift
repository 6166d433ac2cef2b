import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of what chats and nights must not keep or learn.
@Suite("Privacy", .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
struct PrivacyTests {
    private let folder: Program.Folder
    private static let chat = [
        "chat", "--max-tokens", "3", "--temp", "0", "--model", TinyModel.path,
    ]
    /// Assembled from parts, so that this file contains no password.
    private static let password = "Zug4Nach" + "Bern!"

    init() throws {
        folder = try Program.Folder()
        try TinyModel.write(in: folder, contextLength: 1024)
    }

    private func log() throws -> [[String: Any]] { try folder.jsonLines("data/memories.jsonl") }

    @Test("A secret is written down only as a mark, unless it is wanted")
    func chat() throws {
        let said = "my wifi password is \(Self.password)\n"
        let plain = try Program.run(Self.chat, in: folder, input: said)
        #expect(plain.status == 0)
        #expect(plain.errors.contains("redacted: password; --keep-secrets"))
        #expect(try !folder.read("data/memories.jsonl").contains(Self.password))
        #expect(try folder.read("data/memories.jsonl").contains("[redacted: password]"))
        let kept = try Program.run(Self.chat + ["--keep-secrets"], in: folder, input: said)
        #expect(kept.status == 0)
        #expect(try folder.read("data/memories.jsonl").contains(Self.password))
    }

    @Test("Tags are taken out of a message and kept on the exchange")
    func tags() throws {
        let outcome = try Program.run(
            Self.chat, in: folder, input: "Between us. #no-train #no-rag\nHello\n")
        #expect(outcome.status == 0)
        let lines = try log()
        #expect(lines[0]["tags"] as? [String] == ["no-train", "no-rag"])
        #expect(lines[1]["tags"] == nil)
        #expect(try !folder.read("data/memories.jsonl").contains("#no-"))
    }

    /// Writes a log in which one exchange differs.
    private func writeLog(_ special: String) throws {
        try folder.writeLog(sessions: 3)
        try folder.write(try folder.read("log.jsonl") + special + "\n", to: "log.jsonl")
    }

    private func weights() throws -> Data {
        let night = try Program.run(
            "sleep", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--iters", "3",
            "--rehearsal", "0", "--held-out", "0", "--no-gate", "--reset-adapter", in: folder)
        #expect(night.status == 0, "\(night.errors)")
        return try #require(folder.bytes("adapters/nightly_update/adapters.safetensors"))
    }

    @Test("Secrets, tagged exchanges and answers from memory leave no trace in the weights")
    func night() throws {
        func line(_ user: String, _ reply: String, _ tags: String = "") -> String {
            #"{"id":"x","session":"x","messages":[{"role":"user","content":"\#(user)"},"#
                + #"{"role":"assistant","content":"\#(reply)"}]\#(tags)}"#
        }
        /// Checks that both words give the same weights.
        func expectSame(_ first: String, _ second: String, _ what: String) throws {
            try writeLog(first)
            let weights = try weights()
            try writeLog(second)
            #expect(try self.weights() == weights, "\(what)")
        }
        let other = "Sonne" + "55&Mond"
        try expectSame(
            line("my password is \(Self.password)", "Noted"),
            line("my password is \(other)", "Noted"), "a secret of the person's")
        try expectSame(
            line("what was it?", "Your password is \(Self.password)"),
            line("what was it?", "Your password is \(other)"), "a secret in a reply")
        try expectSame(
            line("a", "b", #","tags":["no-train"]"#), line("c", "d", #","tags":["no-train"]"#),
            "a tagged exchange")
        try expectSame(
            line("a #no-train", "b"), line("c #no-train", "d"), "a tag in the words")
        try expectSame(
            line("a", "b", #","tags":["recalled:s1-0"]"#),
            line("c", "d", #","tags":["recalled:s2-0"]"#), "an answer from memory")
        // The comparison can fail: other plain words give other weights.
        try writeLog(line("a", "b"))
        let first = try weights()
        try writeLog(line("a", "something else"))
        #expect(try weights() != first)
    }

    @Test(
        "What the model was shown is marked on the exchange, and the next sleep leaves it out",
        .enabled(if: Program.hasEmbedder, "all-minilm-l6-v2 is not installed"))
    func recalled() throws {
        let chat = Self.chat + ["--rag-verbose"]
        let first = try Program.run(
            chat, in: folder, input: "My sister Mathilde keeps bees near Ghent.\n")
        #expect(first.status == 0)
        #expect(first.errors.contains("no memory is near"))
        let id = try #require(try log().first?["id"] as? String)
        let second = try Program.run(
            chat, in: folder,
            input: "Where does my sister Mathilde keep her bees?\nWhat is nine times seven?\n")
        #expect(second.status == 0)
        #expect(second.errors.contains("1 memories, "))
        #expect(second.errors.contains("tokens of the prompt"))
        #expect(second.errors.contains(" ms"))
        let lines = try log()
        #expect(lines[1]["tags"] as? [String] == ["recalled:\(id)"])
        // No memory is near, so none is shown and the exchange trains.
        #expect(lines[2]["tags"] == nil)
        let night = try Program.run(
            "sleep", "--model", TinyModel.path, "--iters", "1", "--rehearsal", "0", "--no-gate",
            in: folder)
        #expect(night.errors.contains("1 answered from memories"))
        // A message that asks for no retrieval gets none.
        let third = try Program.run(
            chat, in: folder, input: "Where does my sister Mathilde keep her bees? #no-rag\n")
        #expect(!third.errors.contains(id))
    }

    @Test(
        "Existing logs with secrets are caught at ingest and sleep",
        .enabled(if: Program.hasEmbedder, "all-minilm-l6-v2 is not installed"))
    func oldLog() throws {
        try writeLog(
            #"{"id":"x","messages":[{"role":"user","content":"my password is \#(Self.password)"},"#
                + #"{"role":"assistant","content":"Noted"}]}"#)
        #expect(
            try Program.run("rag", "ingest", "--all", "--memory-file", "log.jsonl", in: folder)
                .status == 0)
        let shown = try Program.run("rag", "show", "x", in: folder)
        #expect(shown.output.contains("[redacted: password]"))
        #expect(!shown.output.contains(Self.password))
        for name in try folder.names("data/rag_memory") {
            #expect(
                folder.bytes("data/rag_memory/" + name)?.range(of: Data(Self.password.utf8)) == nil)
        }
        let route = try Program.run("route", "--explain", "--memory-file", "log.jsonl", in: folder)
        #expect(route.output.contains("contains a secret (password)"))
        let night = try Program.run(
            "sleep", "--model", TinyModel.path, "--memory-file", "log.jsonl", "--iters", "1",
            "--rehearsal", "0", "--no-gate", in: folder)
        #expect(night.errors.contains("secrets in 1 of the exchanges are not trained"))
    }
}
