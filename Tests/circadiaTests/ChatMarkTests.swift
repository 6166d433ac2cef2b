import Foundation
import Testing

import CircadiaFiles
import circadia

/// Tests of `/good`, `/bad` and the messages after them, with the real model.
@Suite("Marks in a chat", .enabled(if: Program.hasModel, "smollm2-135m is not installed"))
struct ChatMarkTests {
    private let folder: Program.Folder
    private static let short = ["chat", "--max-tokens", "4", "--temp", "0", "--no-adapter"]

    init() throws { folder = try Program.Folder() }

    private func logged() throws -> [[String: Any]] {
        folder.exists("data/memories.jsonl") ? try folder.jsonLines("data/memories.jsonl") : []
    }

    @Test("/good and /bad mark the last reply in the log, and what is said after /bad corrects it")
    func marks() throws {
        let outcome = try Program.run(
            Self.short, in: folder,
            input: "/good\nHello\n/good\nName a fruit\n/bad\n/good\n/bad  in Dutch please\n/help\n"
                + "/goood\n/good\n")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let log = try logged()
        try #require(log.count == 3)
        let tags = log.map { $0["tags"] as? [String] ?? [] }
        #expect(tags == [["good"], ["bad"], ["correction", "good"]])
        let messages = try #require(log[2]["messages"] as? [[String: String]])
        #expect(messages[0]["content"] == "in Dutch please")
        for text in [
            "no reply yet", "noted: good", "noted: bad", "Ctrl-C       stops",
            "unknown command /goood",
        ] {
            #expect(outcome.errors.contains(text), "\(text)")
        }
        #expect(try folder.mode("data/memories.jsonl") == 0o600)
        let route = try Program.run("route", "--explain", in: folder)
        let lines = route.output.split(separator: "\n")
        #expect(lines[0].contains("counts double: marked good"))
        #expect(lines[1].contains("rejected: marked bad") && lines[1].contains("does not train"))
        #expect(lines[2].contains("counts double: puts right the reply of "))
        #expect(route.errors.contains("2 train"))
    }

    @Test("A mark that was answered is on the disk, whatever ends the program then")
    func marksAreDurable() throws {
        let chat = try RunningProgram(Self.short, in: folder)
        chat.send("Hello")
        try chat.wait(for: "no line") { try logged().count == 1 }
        chat.send("/bad")
        try chat.wait(for: "no answer") { chat.errors.contains("noted: bad") }
        chat.send(signal: SIGKILL)
        _ = try chat.finish()
        let tags = try logged().map { $0["tags"] as? [String] ?? [] }
        #expect(tags == [["bad"]])
    }
}
