import CircadiaTestSupport
import Foundation
import Testing

import CircadiaConversation
import CircadiaLog

@Suite("Importing chats")
struct ImportTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func read(_ text: String) throws -> ChatImport.Outcome {
        let file = folder.file("in.json")
        try Data(text.utf8).write(to: file)
        return try ChatImport.read(file)
    }

    /// One conversation with a branch that was given up, a hidden message and a tool call.
    private static let chatGPT = """
        [{"title":"Bees","create_time":1700000000.5,"conversation_id":"c1","current_node":"n6",
        "mapping":{
        "root":{"id":"root","message":null,"parent":null,"children":["n0"]},
        "n0":{"id":"n0","parent":"root","children":["n1"],"message":{"author":{"role":"system"},
          "content":{"content_type":"text","parts":[""]},"metadata":{"is_visually_hidden_from_conversation":true}}},
        "n1":{"id":"n1","parent":"n0","children":["n2","n3"],"message":{"author":{"role":"user"},"create_time":1700000001.25,
          "content":{"content_type":"text","parts":["Who keeps bees?"]}}},
        "n2":{"id":"n2","parent":"n1","children":[],"message":{"author":{"role":"assistant"},"create_time":1700000002,
          "content":{"content_type":"text","parts":["A given-up answer"]}}},
        "n3":{"id":"n3","parent":"n1","children":["n4"],"message":{"author":{"role":"assistant"},"recipient":"browser","create_time":1700000003,
          "content":{"content_type":"code","text":"search()"}}},
        "n4":{"id":"n4","parent":"n3","children":["n5"],"message":{"author":{"role":"assistant"},"recipient":"all","create_time":1700000004,
          "metadata":{"model_slug":"gpt-x"},"content":{"content_type":"text","parts":["An apiarist.","Indeed."]}}},
        "n5":{"id":"n5","parent":"n4","children":["n6"],"message":{"author":{"role":"user"},"create_time":1700000100,
          "content":{"content_type":"multimodal_text","parts":[{"content_type":"image_asset_pointer"},"And this?"]}}},
        "n6":{"id":"n6","parent":"n5","children":[],"message":{"author":{"role":"assistant"},"create_time":1700000101,
          "content":{"content_type":"text","parts":["A hive."]}}}}},
        {"title":"broken"}]
        """

    @Test("ChatGPT: the last branch, in pairs, with times and the conversation")
    func chatGPT() throws {
        let outcome = try read(Self.chatGPT)
        #expect(outcome.format == .chatgpt && outcome.skipped == 1)
        try #require(outcome.exchanges.count == 2)
        let first = outcome.exchanges[0]
        #expect(first.messages.map(\.content) == ["Who keeps bees?", "An apiarist.\nIndeed."])
        #expect(first.session == "c1" && first.model == "gpt-x")
        #expect(first.timestamp == Date(timeIntervalSince1970: 1_700_000_001.25))
        #expect(outcome.exchanges[1].messages.map(\.content) == ["And this?", "A hive."])
    }

    @Test("Claude: texts of either age, in pairs")
    func claude() throws {
        let outcome = try read(
            """
            [{"uuid":"u1","name":"Tea","created_at":"2026-03-01T09:00:00.000000Z","chat_messages":[
            {"uuid":"a","sender":"human","text":"Which tea?","created_at":"2026-03-01T09:00:01.500000Z"},
            {"uuid":"b","sender":"assistant","text":"old","content":[{"type":"thinking","thinking":"hm"},
              {"type":"text","text":"Assam."}],"created_at":"2026-03-01T09:00:05Z"},
            {"uuid":"c","sender":"human","text":"Thanks","created_at":"2026-03-01T09:01:00Z"}]}]
            """)
        #expect(outcome.format == .claude)
        try #require(outcome.exchanges.count == 2)
        #expect(outcome.exchanges[0].messages.map(\.content) == ["Which tea?", "Assam."])
        #expect(outcome.exchanges[0].session == "u1")
        #expect(
            outcome.exchanges[0].timestamp.map(Timestamp.string) == "2026-03-01T09:00:01.500Z")
        #expect(outcome.exchanges[1].messages.map(\.content) == ["Thanks"])
    }

    @Test("ShareGPT as a list or as lines, and JSON lines with messages")
    func others() throws {
        let conversation =
            #"{"id":"s1","conversations":[{"from":"system","value":"x"},{"from":"human","value":"a"},"#
            + #"{"from":"gpt","value":"b"},{"from":"human","value":"c"},{"from":"gpt","value":"d"}]}"#
        for text in ["[\(conversation)]", conversation + "\n" + conversation + "\n"] {
            let outcome = try read(text)
            #expect(outcome.format == .sharegpt)
            #expect(
                outcome.exchanges.prefix(2).map { $0.messages.map(\.content) }
                    == [["a", "b"], ["c", "d"]])
            #expect(outcome.exchanges.allSatisfy { $0.session == "s1" })
        }
        let lines = try read(
            #"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"#
                + "\nrubbish\n")
        #expect(lines.format == .jsonl && lines.skipped == 1 && lines.exchanges.count == 1)
        #expect(throws: LogError.self) { try read("PK\u{3}\u{4}rubbish") }
        #expect(throws: LogError.self) { try read("") }
    }

    @Test("Nothing is added twice, secrets are replaced, ids stay unique")
    func adding() throws {
        let log = ChatLog(url: folder.file("data/log.jsonl"))
        let exchanges = try read(Self.chatGPT).exchanges
        #expect(try log.add(exchanges).added == 2)
        let again = try log.add(exchanges + exchanges)
        #expect(again.added == 0 && again.alreadyThere == 4)
        var clash = exchanges[0]
        clash.messages[0] = ChatMessage(role: .user, content: "password: Zug4" + "NachBern!")
        let report = try log.add([clash])
        #expect(report.added == 1 && report.redacted == 1)
        #expect(try log.add([clash]).alreadyThere == 1)
        let read = try ChatLog.read(log.url).exchanges
        #expect(Set(read.map(\.id)).count == 3)
        #expect(read[2].messages[0].content == "password: [redacted: password]")
        #expect(permissions(log.url) == 0o600)
    }

    @Test("Retagging keeps what else is in a line, and every other byte")
    func retagging() throws {
        let log = ChatLog(url: folder.file("log.jsonl"))
        let odd =
            #"{"extra":{"a":1},"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}"#
        let text =
            "not JSON\n" + odd + "\n\n"
            + #"{ "id":"b", "messages":[{"role":"user","content":"z"}]}"# + "\n"
        try Data(text.utf8).write(to: log.url)
        let id = try ChatLog.read(log.url).exchanges[0].id
        #expect(try log.retag(ids: [id, "none"]) { $0 + ["no-train"] }.map(\.id) == [id])
        let after = String(decoding: try Data(contentsOf: log.url), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        let before = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(after.count == before.count && after[0] == before[0] && after[3] == before[3])
        #expect(after[1].contains(#""extra":{"a":1}"#))
        let read = try ChatLog.read(log.url).exchanges
        #expect(read[0].id == id && read[0].tags == ["no-train"])
    }
}
