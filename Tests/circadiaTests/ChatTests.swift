import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of chats over pipes with the real model: every exchange is logged, however the program
/// ends.
@Suite("Chat", .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
struct ChatTests {
    private let folder: Program.Folder
    private static let short = ["chat", "--max-tokens", "4", "--temp", "0", "--no-adapter"]

    init() throws { folder = try Program.Folder() }

    private func logged() throws -> [[String: Any]] {
        folder.exists("data/memories.jsonl") ? try folder.jsonLines("data/memories.jsonl") : []
    }

    @Test("Every exchange is a line of a private log; a second chat adds to it")
    func lines() throws {
        let first = try Program.run(Self.short, in: folder, input: "Hello\nName a fruit\n")
        #expect(first.status == 0)
        let second = try Program.run(Self.short, in: folder, input: "Hello again\n")
        #expect(second.status == 0)
        let log = try logged()
        try #require(log.count == 3)
        #expect(Set(log.compactMap { $0["id"] as? String }).count == 3)
        let sessions = log.compactMap { $0["session"] as? String }
        try #require(sessions.count == 3)
        #expect(sessions[0] == sessions[1] && sessions[1] != sessions[2])
        for line in log {
            let time = try #require(line["timestamp"] as? String)
            #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/) != nil)
            #expect(line["model"] as? String == "smollm2-135m")
            let messages = try #require(line["messages"] as? [[String: String]])
            #expect(messages.map { $0["role"] } == ["user", "assistant"])
            let reply = try #require(messages[1]["content"])
            #expect(!reply.isEmpty && (first.output + second.output).contains(reply))
        }
        #expect(try folder.mode("data/memories.jsonl") == 0o600)
        #expect(try folder.mode("data") == 0o700)
    }

    @Test("No input at all leaves with 0 and an empty log")
    func endOfInput() throws {
        let outcome = try Program.run(Self.short, in: folder)
        #expect(outcome.status == 0)
        #expect(try logged().isEmpty)
    }

    @Test("Blank lines are not exchanges")
    func blankLines() throws {
        #expect(try Program.run(Self.short, in: folder, input: "\n   \n\n").status == 0)
        #expect(try logged().isEmpty)
    }

    @Test("Ctrl-C stops the reply, not the program, and the part that was said is logged")
    func interruptDuringReply() throws {
        let chat = try RunningProgram(
            ["chat", "--max-tokens", "2000", "--temp", "0.8", "--seed", "1"], in: folder)
        chat.send("Write a very long story about a lighthouse, in twenty chapters.")
        try chat.wait(for: "no reply began") { !chat.output.isEmpty }
        chat.send(signal: SIGINT)
        chat.send("Say yes.")
        try chat.wait(for: "no first line") { try logged().count >= 1 }
        let length = chat.output.count
        try chat.wait(for: "no second reply") { chat.output.count > length + 1 }
        chat.send(signal: SIGINT)
        let outcome = try chat.finish()
        #expect(outcome.status == 0)
        #expect(try logged().count == 2)
    }

    @Test("Ctrl-C at the prompt ends nothing, and takes nothing from the next reply")
    func interruptAtPrompt() throws {
        let chat = try RunningProgram(Self.short, in: folder)
        try chat.wait(for: "no greeting") { chat.errors.contains("Ctrl-D") }
        for _ in 0..<3 {
            chat.send(signal: SIGINT)
            usleep(20_000)
        }
        #expect(!chat.hasEnded)
        chat.send("Hello")
        #expect(try chat.finish().status == 0)
        #expect(try logged().count == 1)
    }

    @Test("What is in the log survives kill -9, and the log goes on")
    func kill() throws {
        for round in 1...3 {
            let chat = try RunningProgram(Self.short, in: folder)
            chat.send("Hello number \(round)")
            try chat.wait(for: "no line") { try logged().count == round }
            chat.send(signal: SIGKILL)
            #expect(try chat.finish().status == 128 + SIGKILL)
            #expect(try logged().count == round)
        }
        let route = try Program.run("route", in: folder)
        #expect(route.status == 0 && route.errors.contains("3 exchanges"))
    }

    @Test("A reader of the output who goes away takes no exchange with it")
    func closedOutput() throws {
        let outcome = try Program.run(
            ["chat", "--max-tokens", "60", "--no-adapter"], in: folder, input: "Tell me a story\n",
            prelude: "mkfifo out && { head -c 1 < out > /dev/null & } && exec > out")
        #expect(outcome.status == 0)
        #expect(try logged().count == 1)
    }

    @Test("A torn last line is moved aside and reported; the lines before and after stay")
    func tornLine() throws {
        try folder.writeLog(sessions: 1, to: "data/memories.jsonl")
        let before = try folder.read("data/memories.jsonl")
        let torn = #"{"id":"half","messages":[{"role":"user","con"#
        try folder.write(before + torn, to: "data/memories.jsonl")
        let outcome = try Program.run(Self.short, in: folder, input: "Hello\n")
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("memories.jsonl") && outcome.errors.contains("torn"))
        #expect(try folder.read("data/memories.jsonl").hasPrefix(before))
        #expect(try logged().count == 3)
        let aside = try #require(try folder.names("data").first { $0.contains(".torn-") })
        #expect(try folder.read("data/" + aside) == torn)
        #expect(try folder.mode("data/" + aside) == 0o600)
    }

    @Test("A last line without its line feed is completed, not lost")
    func missingLineFeed() throws {
        try folder.writeLog(sessions: 1, to: "data/memories.jsonl")
        let whole = try folder.read("data/memories.jsonl")
        try folder.write(String(whole.dropLast()), to: "data/memories.jsonl")
        let outcome = try Program.run(Self.short, in: folder, input: "Hello\n")
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("line feed"))
        #expect(try folder.read("data/memories.jsonl").hasPrefix(whole))
        #expect(try logged().count == 3)
    }

    @Test("What could not be logged is kept, and logged as soon as the place can be written")
    func retry() throws {
        let chat = try RunningProgram(Self.short, in: folder)
        try chat.wait(for: "no greeting") { chat.errors.contains("Ctrl-D") }
        let path = folder.url.appendingPathComponent("data/memories.jsonl")
        try FileManager.default.removeItem(at: path)
        try FileManager.default.createDirectory(at: path, withIntermediateDirectories: false)
        chat.send("Hello")
        try chat.wait(for: "no warning") { chat.errors.contains("tries again") }
        #expect(chat.errors.contains("memories.jsonl"))
        try FileManager.default.removeItem(at: path)
        #expect(try chat.finish().status == 0)
        #expect(try logged().count == 1)
    }

    @Test("What is still unsaved at the end makes the exit code 1")
    func unsaved() throws {
        let chat = try RunningProgram(Self.short, in: folder)
        try chat.wait(for: "no greeting") { chat.errors.contains("Ctrl-D") }
        let path = folder.url.appendingPathComponent("data/memories.jsonl")
        try FileManager.default.removeItem(at: path)
        try FileManager.default.createDirectory(at: path, withIntermediateDirectories: false)
        chat.send("Hello")
        let outcome = try chat.finish()
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("memories.jsonl"))
    }

    @Test("A message longer than the context is answered, and said to be cut")
    func longMessage() throws {
        try TinyModel.write(in: folder)
        let message = String(repeating: "word ", count: 1000)
        let outcome = try Program.run(
            Self.short + ["--model", TinyModel.path], in: folder, input: message + "\n")
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("longer than the context"))
    }
}

/// Tests of chats with retrieval.
@Suite("Chat with retrieval", .enabled(if: Program.hasModel && Program.hasEmbedder))
struct ChatRetrievalTests {
    private let folder: Program.Folder
    private static let chat = ["chat", "--max-tokens", "4", "--temp", "0", "--rag-verbose"]

    init() throws { folder = try Program.Folder() }

    @Test("An exchange of an earlier session is found")
    func recall() throws {
        let first = try Program.run(
            Self.chat, in: folder,
            input: "My sister Mathilde keeps bees near Ghent.\nThe weather is fine.\n")
        #expect(first.status == 0)
        let id = try #require(try folder.jsonLines("data/memories.jsonl").first?["id"] as? String)
        let second = try Program.run(
            Self.chat, in: folder, input: "Where does my sister Mathilde keep her bees?\n")
        #expect(second.status == 0)
        #expect(second.errors.contains(id))
        #expect(!second.output.contains(id))
    }

    @Test(
        "A store that fails while people talk is a warning; the chat goes on and the log is whole")
    func failingStore() throws {
        try folder.writeLog(sessions: 9)
        let ingest = try Program.run(
            "rag", "ingest", "--all", "--memory-file", "log.jsonl", in: folder)
        #expect(ingest.status == 0)
        let chat = try RunningProgram(Self.chat, in: folder)
        try chat.wait(for: "no greeting") { chat.errors.contains("Ctrl-D") }
        // Overwrites the database while the program uses it.
        for name in try folder.names("data/rag_memory") {
            let file = folder.url.appendingPathComponent("data/rag_memory/" + name)
            let handle = try FileHandle(forWritingTo: file)
            let size = try handle.seekToEnd()
            try handle.truncate(atOffset: 0)
            try handle.write(contentsOf: Data(repeating: 0x5A, count: Int(size)))
            try handle.close()
        }
        chat.send("Do you like bread?")
        chat.send("Do you like tea?")
        let outcome = try chat.finish()
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("rag_memory"))
        // Neither the search nor the storing worked.
        #expect(outcome.errors.components(separatedBy: "warning: ").count > 6)
        #expect(outcome.errors.contains("not in the retrieval store"))
        #expect(try folder.jsonLines("data/memories.jsonl").count == 2)
    }
}
