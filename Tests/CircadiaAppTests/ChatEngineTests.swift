import CircadiaAnalysis
import CircadiaTestSupport
import Foundation
import Testing

import CircadiaApp
import CircadiaConversation
import CircadiaLog
import CircadiaModel
import CircadiaRetrieval

/// Tests of a turn of a chat, from the message to the logged exchange.
@Suite("Chat engine")
struct ChatEngineTests {
    private let tiny: TinyChat
    private let events = Events()

    init() throws { tiny = try TinyChat() }

    /// The events of a chat, in order.
    private final class Events {
        private(set) var all: [ChatEvent] = []
        /// Called with each event before it is kept.
        var onEvent: (ChatEvent) -> Void = { _ in }

        func add(_ event: ChatEvent) {
            onEvent(event)
            all.append(event)
        }

        /// The names of the events; consecutive pieces of text count as one.
        var names: [String] {
            all.reduce(into: []) { names, event in
                let name = String("\(event)".prefix { $0 != "(" })
                if names.last != name { names.append(name) }
            }
        }

        var text: String {
            all.reduce(into: "") { text, event in if case .text(let piece) = event { text += piece }
            }
        }
    }

    private var log: URL { tiny.folder.file("data/log.jsonl") }

    private func engine(
        store: (any ExchangeStore)? = nil, adapter: URL? = nil,
        _ change: (inout ChatEngine.Settings) -> Void = { _ in }
    ) throws -> ChatEngine {
        var settings = ChatEngine.Settings(modelName: "tiny")
        settings.sampling.maxTokens = 6
        settings.seeds = SeedSequence(seed: 1)
        change(&settings)
        return ChatEngine(
            model: tiny.model, tokenizer: tiny.tokenizer, template: tiny.template,
            place: try ChatPlace(log: log, adapter: adapter),
            memories: store.map {
                MemoryLookup(
                    store: $0, keepsSecrets: settings.keepsSecrets, tokenizer: tiny.tokenizer,
                    limit: 3)
            }, settings: settings, report: events.add)
    }

    private func store(_ embedder: any TextEmbedding = WordEmbedder()) throws -> RetrievalStore {
        try RetrievalStore(directory: tiny.folder.file("rag"), embedder: embedder)
    }

    private func logged() throws -> [Exchange] { try ChatLog.read(log).exchanges }

    // MARK: The log

    @Test("The exchange is on the disk when the engine says so, and before `send` returns")
    func durability() throws {
        let log = log
        var linesWhenReplied: Int?
        var linesWhenLogged: Int?
        events.onEvent = { event in
            let lines = (try? ChatLog.read(log).exchanges.count) ?? 0
            if case .replied = event { linesWhenReplied = lines }
            if case .logged = event { linesWhenLogged = lines }
        }
        let exchange = try #require(try engine().send("Hello"))
        #expect(linesWhenReplied == 0 && linesWhenLogged == 1)
        #expect(events.names == ["text", "replied", "logged"])
        let line = try #require(try logged().first)
        #expect(line == exchange)
        #expect(line.messages.map(\.content) == ["Hello", events.text])
        #expect(line.model == "tiny" && line.adapter == nil && line.timestamp != nil)
    }

    @Test("The same seed says the same, and the exchanges of a chat share its session")
    func seeds() throws {
        let first = try engine()
        let one = try #require(try first.send("Hello"))
        let two = try #require(try first.send("Hello"))
        let again = try #require(try engine().send("Hello"))
        #expect(one.messages == again.messages)
        #expect(one.session == two.session && one.session != again.session)
        #expect(try logged().map(\.id) == [one.id, two.id, again.id])
    }

    @Test("Tags are taken out of the message and logged; a message of tags alone is none")
    func tags() throws {
        let engine = try engine()
        let exchange = try #require(try engine.send("Hello #no-train there #no-rag"))
        #expect(exchange.messages.first?.content == "Hello there")
        #expect(exchange.tags == ["no-train", "no-rag"])
        #expect(try engine.send("#no-train") == nil)
        #expect(try engine.send("") == nil)
        #expect(try logged().count == 1)
    }

    private let secret = "sk-proj-Zk3vQ9xWm27TbLr8Yc5NpHd4Fg6Js1Ae"

    @Test("Secrets are neither logged nor stored, unless they are wanted")
    func secrets() throws {
        let store = try store()
        let exchange = try #require(try engine(store: store).send("My key is \(secret)"))
        #expect(events.names.contains("secretsRemoved"))
        #expect(!String(decoding: try Data(contentsOf: log), as: UTF8.self).contains(secret))
        #expect(try store.exchange(id: exchange.id)?.transcript.contains(secret) == false)
        let kept = try #require(
            try engine { $0.keepsSecrets = true }.send("My key is \(secret)"))
        #expect(kept.messages.first?.content.contains(secret) == true)
        #expect(String(decoding: try Data(contentsOf: log), as: UTF8.self).contains(secret))
    }

    @Test("A log that cannot be written is found out before the chat begins")
    func unwritableLog() throws {
        try FileManager.default.createDirectory(at: log, withIntermediateDirectories: true)
        #expect(throws: (any Error).self) { try ChatPlace(log: log) }
    }

    /// Replaces the log by a folder, so that writing it fails.
    private func block() throws {
        try? FileManager.default.moveItem(at: log, to: tiny.folder.file("aside"))
        try FileManager.default.createDirectory(at: log, withIntermediateDirectories: true)
    }

    private func unblock() throws {
        try FileManager.default.removeItem(at: log)
        try? FileManager.default.moveItem(at: tiny.folder.file("aside"), to: log)
    }

    @Test("What cannot be written is kept, marked and written with the next reply, in order")
    func keptExchanges() throws {
        let engine = try engine()
        try engine.send("one")
        try block()
        try engine.send("two")
        #expect(engine.mark(.bad))
        try engine.send("three")
        let waiting = events.all.compactMap { event -> Int? in
            if case .notLogged(_, let waiting) = event { waiting } else { nil }
        }
        #expect(waiting == [1, 2])
        try unblock()
        try engine.send("four")
        let lines = try logged()
        #expect(lines.map { $0.messages[0].content } == ["one", "two", "three", "four"])
        #expect(lines.map(\.tags) == [[], ["bad"], [], []])
        try engine.finish()
        #expect(try logged().count == 4)
    }

    @Test("At the end it is tried once more, and a failure is an error")
    func finish() throws {
        let engine = try engine()
        try block()
        try engine.send("one")
        #expect(throws: (any Error).self) { try engine.finish() }
        try unblock()
        try engine.finish()
        #expect(try logged().map { $0.messages[0].content } == ["one"])
    }

    @Test("A reply that is stopped is logged as far as it came; one that never began is not")
    func interruption() throws {
        let engine = try engine { $0.sampling.maxTokens = 200 }
        let exchange = try #require(
            try engine.send("Hello", isCancelled: { !events.text.isEmpty }))
        #expect(exchange.messages[1].content == events.text)
        guard case .replied(let reply)? = events.all.first(where: { "\($0)".hasPrefix("replied") })
        else {
            Issue.record("no reply")
            return
        }
        #expect(reply.finishReason == .cancelled)
        #expect(try engine.send("Hello again", isCancelled: { true }) == nil)
        #expect(try logged() == [exchange])
        // There is no reply to mark.
        #expect(!engine.mark(.good))
        #expect(events.names.last == "nothingToMark")
    }

    // MARK: Marks

    @Test("A mark changes the line that is in the log; the other mark takes its place")
    func marks() throws {
        let store = try store()
        let engine = try engine(store: store)
        #expect(!engine.mark(.good))
        let exchange = try #require(try engine.send("Hello"))
        #expect(engine.mark(.good))
        #expect(try logged().map(\.tags) == [["good"]])
        #expect(try store.exchange(id: exchange.id)?.tags == ["good"])
        #expect(engine.mark(.bad))
        #expect(try logged().map(\.tags) == [["bad"]])
        let better = try #require(try engine.send("Shorter", correctsLast: true))
        #expect(better.tags == ["correction"])
        #expect(try logged().map(\.tags) == [["bad"], ["correction"]])
    }

    @Test("An exchange that was forgotten meanwhile is not marked")
    func markOfForgotten() throws {
        let engine = try engine()
        try engine.send("Hello")
        try Data().write(to: log)
        #expect(!engine.mark(.good))
        #expect(events.names.last == "markedExchangeGone")
    }

    // MARK: The store

    @Test("Exchanges go to the store; what it has on a message is shown to the model and named")
    func retrieval() throws {
        let store = try store()
        let old = exchange(
            "old", "My xylophone teacher is called Marzipan Quark.", "Noted.", day: 1)
        try store.ingest([old].cleaned, policy: .chat)
        let engine = try engine(store: store)
        let question = "What is my xylophone teacher called, Marzipan or Quark?"
        let answer = try #require(try engine.send(question))
        guard case .memories(let found)? = events.all.first else {
            Issue.record("the store was not asked")
            return
        }
        #expect(found.memories.map(\.id) == ["old"] && found.block != nil)
        #expect(answer.tags == ["recalled:old"])
        #expect(try store.exchange(id: answer.id)?.messages == answer.messages)
        let before = events.all.count
        let silent = try #require(try engine.send(question + " #no-rag"))
        #expect(silent.tags == ["no-rag"])
        #expect(
            !events.all[before...].contains { if case .memories = $0 { true } else { false } })
    }

    private struct BrokenEmbedder: TextEmbedding {
        struct Failure: Error {}
        let dimension = 4
        let identifier = "broken"
        func embed(_ texts: [String]) throws -> [[Float]] { throw Failure() }
    }

    @Test("A store that fails ends no chat")
    func brokenStore() throws {
        let engine = try engine(store: store(BrokenEmbedder()))
        let exchange = try #require(try engine.send("What is my teacher called?"))
        #expect(
            events.names == ["memoriesFailed", "text", "replied", "logged", "notStored"])
        #expect(try logged() == [exchange])
    }

    // MARK: Nights

    @Test("A night knows of a chat as long as it is open and in use")
    func presence() throws {
        #expect(!ChatPresence.isActive(log: log))
        do {
            let engine = try engine()
            #expect(ChatPresence.isActive(log: log))
            #expect(!ChatPresence.isActive(log: log, within: 0))
            withExtendedLifetime(engine) {}
        }
        #expect(!ChatPresence.isActive(log: log))
    }

    @Test("An adapter that comes while a chat is open is news, once")
    func newAdapter() throws {
        let adapter = tiny.folder.file("adapter")
        let engine = try engine(adapter: adapter)
        try engine.send("Hello")
        #expect(!events.names.contains("newAdapter"))
        try FileManager.default.createDirectory(at: adapter, withIntermediateDirectories: true)
        for name in ["adapters.safetensors", "adapter_config.json"] {
            try Data().write(to: adapter.appendingPathComponent(name))
        }
        try engine.send("Hello")
        try engine.send("Hello")
        #expect(events.names.filter { $0 == "newAdapter" }.count == 1)
    }
}
