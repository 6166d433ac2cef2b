import CircadiaTestSupport
import Foundation
import Testing

import CircadiaApp
import CircadiaConversation
import CircadiaEvaluation
import CircadiaHub
import CircadiaLog
import CircadiaModel
import CircadiaRetrieval

@Suite(
    "Chroma store",
    .enabled(
        if: ChromaServer.program != nil,
        "CIRCADIA_PEERS_CHROMA is not set; make test sets it where chromadb can be installed"),
    .serialized)
struct ChromaStoreTests {
    private func week(_ count: Int) -> [Exchange] {
        (0..<count).map {
            exchange("m\($0)", "Number \($0) of the zebra\($0 % 7) and quark\($0 % 11).", day: $0)
        }
    }

    /// A server takes a moment to listen; the store's own patience is for shorter faults.
    private func open(
        _ server: ChromaServer, _ folder: URL, maxBatchSize: Int? = nil,
        embedder: any TextEmbedding = WordEmbedder()
    ) throws -> ChromaStore {
        func attempt() throws -> ChromaStore {
            try ChromaStore(
                address: ChromaAddress(server.address), folder: folder, embedder: embedder,
                token: nil, maxBatchSize: maxBatchSize)
        }
        for _ in 0..<10 {
            if let store = try? attempt() { return store }
        }
        return try attempt()
    }

    @Test(
        "The order is the database's; what is there is not sent again; migration goes there and back"
    )
    func equalsDatabase() throws {
        let folder = try TemporaryFolder()
        let server = try ChromaServer(data: folder.file("server"))
        let local = try RetrievalStore(directory: folder.file("a"), embedder: WordEmbedder())
        let remote = try open(server, folder.file("b"))
        try local.ingest(week(90), policy: .chat)
        try remote.ingest(week(90), policy: .chat)
        let again = try remote.ingest(week(90), policy: .chat)
        #expect(again.added == 0 && again.alreadyThere == 90)
        let fresh = try open(server, folder.file("c"))
        for question in ["zebra3", "quark5 number 16", "of the zebra2 and quark9"] {
            let expected = try local.search(question, limit: 10, now: nil).map(\.id)
            #expect(try remote.search(question, limit: 10, now: nil).map(\.id) == expected)
            #expect(try fresh.search(question, limit: 10, now: nil).map(\.id) == expected)
        }
        let back = try RetrievalStore(directory: folder.file("d"), embedder: nil)
        #expect(try StoreMigration.run(from: fresh, to: back).moved == 90)
        #expect(try StoreMigration.run(from: fresh, to: back).moved == 0)
        #expect(try back.list(limit: nil, offset: 0) == local.list(limit: nil, offset: 0))
        #expect(try back.statistics().vectors == local.statistics().vectors)
    }

    @Test("Forgetting, tags and clearing reach the server and other machines' copies")
    func takesOut() throws {
        let folder = try TemporaryFolder()
        let server = try ChromaServer(data: folder.file("server"))
        let one = try open(server, folder.file("a"))
        try one.ingest(week(8), policy: .chat)
        let other = try open(server, folder.file("b"))
        #expect(try one.forget(ids: ["m3", "none"]) == 1)
        try one.setTags(["no-train"], of: "m4")
        #expect(try other.exchange(id: "m3") == nil)
        #expect(try other.exchange(id: "m4")?.tags == ["no-train"])
        #expect(try other.count() == 7)
        #expect(try one.clear() == 7)
        #expect(try other.count() == 0)
    }

    @Test("More records than a request takes go in several")
    func batches() throws {
        let folder = try TemporaryFolder()
        let server = try ChromaServer(data: folder.file("server"))
        let store = try open(server, folder.file("a"), maxBatchSize: 7)
        #expect(try store.ingest(week(90), policy: .chat).added == 90)
        #expect(try store.setTags(["seen"], of: "m89"))
        let fresh = try open(server, folder.file("b"), maxBatchSize: 7)
        #expect(try fresh.list().map(\.id) == week(90).map(\.id))
        #expect(try fresh.statistics().vectors == store.statistics().vectors)
    }

    @Test("A server that is killed while it takes in loses nothing and doubles nothing")
    func serverKilled() throws {
        let folder = try TemporaryFolder()
        let other = try ChromaServer(data: folder.file("other"))
        let whole = try open(other, folder.file("whole"))
        try whole.ingest(week(150), policy: .chat)
        let vectors = try whole.statistics().vectors
        other.stop()
        for round in 0..<3 {
            let data = folder.file("server\(round)")
            let server = try ChromaServer(data: data)
            let store = try open(server, folder.file("a\(round)"), maxBatchSize: 5)
            // It falls between requests, or in one: some milliseconds after the first batch.
            #expect(throws: RetrievalError.self) {
                try store.ingest(week(150), policy: .chat, keepingSecrets: false) {
                    done, _ in
                    if done < 100 {
                        Thread.detachNewThread {
                            Thread.sleep(forTimeInterval: 0.02 * Double(round))
                            server.stop()
                        }
                    }
                    return true
                }
            }
            let again = try ChromaServer(data: data, port: server.port)
            let reopened = try open(again, folder.file("a\(round)"), maxBatchSize: 5)
            try reopened.ingest(week(150), policy: .chat)
            let fresh = try open(again, folder.file("b\(round)"))
            #expect(try fresh.list().map(\.id) == week(150).map(\.id))
            #expect(try fresh.statistics().vectors == vectors)
        }
    }

    @Test("Where no server answers, the error says where and what to do")
    func serverDown() throws {
        let folder = try TemporaryFolder()
        let server = try ChromaServer(data: folder.file("server"))
        let store = try open(server, folder.file("a"))
        try store.ingest(week(3), policy: .chat)
        server.stop()
        do {
            try store.ingest(week(5), policy: .chat)
            Issue.record("nothing was thrown")
        } catch {
            let text = String(describing: error)
            #expect(text.contains("\(server.address): no Chroma server answers here: "))
        }
    }

    @Test("A server that asks for a token: the right one works, another gives a clear error")
    func token() throws {
        let folder = try TemporaryFolder()
        let server = try ChromaServer(data: folder.file("server"))
        try open(server, folder.file("a")).ingest(week(3), policy: .chat)
        let gate = try TokenGate(before: server.address, token: "open sesame")
        func enter(_ token: String?) throws -> ChromaStore {
            try ChromaStore(
                address: ChromaAddress(gate.address), folder: folder.file("b"),
                embedder: WordEmbedder(), token: token)
        }
        let store = try enter("open sesame")
        #expect(try store.count() == 3)
        #expect(try store.search("zebra1", limit: 1, now: nil).first?.id == "m1")
        for wrong in ["close sesame", nil] {
            do {
                _ = try enter(wrong)
                Issue.record("nothing was thrown")
            } catch {
                let text = String(describing: error)
                #expect(text.contains(gate.address) && text.contains("401"))
                #expect(text.contains(ChromaAddress.tokenVariable))
                #expect(!text.contains("sesame"))
            }
        }
    }

    @Test("More than the server takes in one request goes in, comes back, moves and is taken out")
    func beyondLimit() throws {
        let folder = try TemporaryFolder()
        let server = try ChromaServer(data: folder.file("server"))
        let local = try RetrievalStore(directory: folder.file("local"), embedder: WordEmbedder())
        let many = week(2800)
        try local.ingest(many, policy: .chat)
        let store = try open(server, folder.file("a"))
        #expect(try StoreMigration.run(from: local, to: store).moved == 2800)
        let vectors = try local.statistics().vectors
        #expect(try vectors > 5461 && store.statistics().vectors == vectors)
        let fresh = try open(server, folder.file("b"))
        #expect(try fresh.list().map(\.id) == many.map(\.id))
        #expect(try fresh.forget(ids: many.dropLast(3).map(\.id)) == 2797)
        #expect(try store.list().map(\.id) == many.suffix(3).map(\.id))
    }

    private static let conversation = Surroundings.runsEverything ? Surroundings.conversations : nil
    private static let embedderModel = try? ModelStore.resolve("all-minilm-l6-v2")

    @Test(
        "On a whole conversation both backends find the same",
        .enabled(
            if: conversation != nil && embedderModel != nil,
            "takes minutes; make test-all runs it where LoCoMo is at hand"))
    func sameRecall() throws {
        let source = try #require(Self.conversation)
        let folder = try TemporaryFolder()
        let server = try ChromaServer(data: folder.file("server"))
        let embedder = try SentenceEmbedder(directory: #require(Self.embedderModel))
        let log = try ChatLog.read(
            source.appendingPathComponent("memories-30.jsonl"), repairing: false)
        let local = try RetrievalStore(directory: folder.file("local"), embedder: embedder)
        try local.ingest(log.exchanges, policy: .chat)
        let remote = try open(server, folder.file("a"), embedder: embedder)
        _ = try StoreMigration.run(from: local, to: remote)
        var hits: [[Int]] = [[0, 0, 0], [0, 0, 0]]
        var differing = 0
        let questions = try RetrievalQuestion.read(
            source.appendingPathComponent("questions-30.jsonl"))
        for question in questions {
            let found =
                try [local.search(question.question, limit: 10, now: nil)]
                + [remote.search(question.question, limit: 10, now: nil)]
            let ids = found.map { $0.map(\.id) }
            if ids[0] != ids[1] { differing += 1 }
            for store in 0..<2 {
                for (place, limit) in [1, 5, 10].enumerated()
                where ids[store].prefix(limit).contains(where: question.evidence.contains) {
                    hits[store][place] += 1
                }
            }
        }
        print(
            "both backends, \(questions.count) questions: hits at 1, 5, 10 \(hits[0]) and \(hits[1]); "
                + "\(differing) orders differ")
        #expect(hits[0] == hits[1])
    }
}
