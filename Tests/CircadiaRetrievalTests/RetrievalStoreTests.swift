import CircadiaTestSupport
import Foundation
import Testing

import CircadiaConversation
import CircadiaFiles
import CircadiaRetrieval

/// Fails, or gives what it should not.
struct BrokenEmbedder: TextEmbedding {
    struct Failure: Error, CustomStringConvertible { let description = "no weights" }
    let dimension = 4
    let identifier = "broken"
    var vectors: [[Float]]?
    func embed(_ texts: [String]) throws -> [[Float]] {
        guard let vectors else { throw Failure() }
        return vectors
    }
}

@Suite("Retrieval store")
struct RetrievalStoreTests {
    private static let week: [Exchange] = [
        exchange("a", "My dog Bruno broke his leg on the stairs.", "Poor Bruno!", day: 0),
        exchange("b", "The vet gave him a blue bandage.", "Blue suits him.", day: 0),
        exchange(
            "c", "The server's address is https://db.example.org:5432", day: 1, session: "t"),
        exchange("d", "I went to the opera in Verona yesterday.", "How was it?", day: 20),
        exchange("e", "func parseHTTPHeader(line: String)", "It returns a pair.", day: 40),
    ]

    /// Talk about other things, so that a word of the week is as rare as words are.
    private static let filler: [Exchange] = (0..<30).map { (day: Int) in
        exchange("z\(day)", "Topic \(day) again.", "As you like.", session: "z")
    }

    private static func numbered(_ count: Int) -> [Exchange] {
        (0..<count).map { (day: Int) in
            exchange("m\(day)", "Number \(day) of many.", day: day)
        }
    }

    private func store(
        _ folder: TemporaryFolder, _ embedder: (any TextEmbedding)? = WordEmbedder()
    ) throws -> RetrievalStore {
        try RetrievalStore(directory: folder.file("rag_memory"), embedder: embedder)
    }

    @Test("Folder, database and side files are private")
    func modes() throws {
        let folder = try TemporaryFolder()
        let store = try store(folder)
        try store.ingest(Self.week, policy: .chat)
        #expect(permissions(store.directory) == 0o700)
        let names = try FileManager.default.contentsOfDirectory(atPath: store.directory.path)
        #expect(names.contains("memory.sqlite") && names.contains("memory.sqlite-wal"))
        for name in names {
            #expect(permissions(store.directory.appendingPathComponent(name)) == 0o600, "\(name)")
        }
    }

    @Test("What goes in comes out as it was, after opening again too")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        let first = try store(folder)
        let report = try first.ingest(Self.week, policy: .chat)
        #expect(report.added == 5 && report.embedded == 10 && report.alreadyThere == 0)
        first.close()
        let second = try store(folder)
        #expect(try second.list() == Self.week)
        #expect(try second.list(limit: 2, offset: 1).map(\.id) == ["b", "c"])
        #expect(try second.exchange(id: "d") == Self.week[3])
        #expect(try second.exchange(id: "z") == nil)
        let statistics = try second.statistics()
        #expect(statistics.exchanges == 5 && statistics.sessions == 2 && statistics.vectors == 10)
        #expect(statistics.embedder == "words (64 dimensions)")
        #expect(statistics.oldest == Self.week[0].timestamp)
        #expect(statistics.newest == Self.week[4].timestamp)
    }

    @Test("The router decides what goes in, unless everything is asked for")
    func selection() throws {
        let folder = try TemporaryFolder()
        let store = try store(folder)
        let tagged = [
            exchange("f", "See https://example.org/x", tags: ["no-rag"]),
            exchange("g", "See https://example.org/y", tags: ["synthetic"]),
        ]
        let report = try store.ingest(Self.week + tagged, policy: .night)
        #expect(try store.list().map(\.id) == ["c", "e"])
        #expect(report.notSelected == 5)
        try store.ingest(Self.week + tagged, policy: .chat)
        #expect(try Set(store.list().map(\.id)) == ["a", "b", "c", "d", "e"])
    }

    @Test("What is there is neither stored nor embedded again")
    func incremental() throws {
        let folder = try TemporaryFolder()
        let embedder = WordEmbedder()
        let store = try store(folder, embedder)
        try store.ingest(Array(Self.week.prefix(3)), policy: .chat)
        let report = try store.ingest(Self.week + Self.week, policy: .chat)
        #expect(report.added == 2 && report.embedded == 4)
        #expect(try store.count() == 5)
        #expect(embedder.embedded.count == 2 * (5 + 2), "both sides, two doubled in one batch")
        // The same exchange under another id, as a log without ids gives it after an edit.
        var renamed = Self.week[0]
        renamed.id = "other"
        #expect(try store.ingest([renamed], policy: .chat).alreadyThere == 1)
    }

    @Test("The same id with other contents replaces the exchange")
    func replaces() throws {
        let folder = try TemporaryFolder()
        let store = try store(folder)
        try store.ingest(Self.week, policy: .chat)
        let changed = exchange("b", "The vet gave him a green bandage.", day: 0)
        let report = try store.ingest([changed], policy: .chat)
        #expect(report.replaced == 1 && report.added == 0)
        #expect(try store.count() == 5)
        #expect(try store.search("green bandage").first?.id == "b")
        #expect(try store.search("blue").allSatisfy { $0.evidence.coverage == 0 })
    }

    @Test("Words, stems, irregular forms and parts of identifiers find their exchange")
    func lexical() throws {
        let folder = try TemporaryFolder()
        let store = try store(folder, nil)
        try store.ingest(Self.week + Self.filler, policy: .chat)
        for (query, id) in [
            ("Who broke a leg?", "a"), ("breaking legs", "a"), ("bandages", "b"),
            ("When did I go to the opera?", "d"), ("going to operas", "d"),
            ("http header parsing", "e"), ("parseHTTPHeader", "e"), ("example.org 5432", "c"),
            ("what happened on 28 May 2023", "d"), ("BRÜNO", "a"),
        ] {
            let found = try store.search(query, limit: 1).first
            #expect(found?.id == id, "\(query)")
            #expect(found?.denseScore == 0)
        }
    }

    @Test("A neighbour's words help an exchange, within its session only")
    func neighbours() throws {
        let folder = try TemporaryFolder()
        let store = try store(folder, nil)
        try store.ingest(Self.week, policy: .chat)
        let found = try store.search("Bruno").map(\.id)
        #expect(Array(found.prefix(2)) == ["a", "b"])
        #expect(try !store.search("vet").map(\.id).contains("c"))
    }

    @Test("Any text is a safe question")
    func anyText() throws {
        let folder = try TemporaryFolder()
        let store = try store(folder)
        try store.ingest(Self.week, policy: .chat)
        for query in [
            "\"", "\"bruno", "AND OR NOT NEAR(", "*", "body:bruno", "a^2", "-leg", "(leg",
            "{x} : y",
            "'; DROP TABLE exchange; --", "\u{0}", "\u{FFFD}\u{202E}", "???", "🐶", "犬が好き", "NULL",
            String(repeating: "leg \"", count: 3000), "leg NOT", "col1 + col2", "%_%",
            "who are you",
        ] { _ = try store.search(query) }
        #expect(try store.count() == 5)
        #expect(throws: RetrievalError.queryEmpty) { try store.search(" \n") }
        #expect(try store.search("leg", limit: 0).isEmpty)
    }

    @Test("Chinese and Japanese are found by parts of their sentences")
    func ideographs() throws {
        let folder = try TemporaryFolder()
        let store = try store(folder, nil)
        try store.ingest(
            [exchange("j", "昨日は温泉に行きました"), exchange("k", "明日は会議です")], policy: .chat)
        #expect(try store.search("温泉").first?.id == "j")
        #expect(try store.search("会議はいつ").first?.id == "k")
    }

    @Test("Time words weigh in, relative to now")
    func time() throws {
        let folder = try TemporaryFolder()
        let store = try store(folder, nil)
        try store.ingest(
            (0..<60).map { (day: Int) in
                exchange("t\(day)", "We had soup for lunch.", "Fine.", day: day)
            },
            policy: .chat)
        func first(_ query: String, _ now: String) throws -> String? {
            try store.search(query, limit: 1, now: Timestamp.date(now)).first?.id
        }
        #expect(try first("What was for lunch yesterday?", "2023-05-20T12:00:00Z") == "t11")
        #expect(try first("What was lunch 3 days ago?", "2023-05-20T12:00:00Z") == "t9")
        #expect(try first("lunch on 2023-06-01", "2024-01-01T00:00:00Z") == "t24")
        #expect(try first("lunch on 1 June 2023", "2024-01-01T00:00:00Z") == "t24")
        #expect(try first("lunch on June 1st", "2024-01-01T00:00:00Z") == "t24")
        // The newest of equals: the last day of last week, of last month.
        let inMay = try store.search("lunch in May 2023", limit: 24)
        #expect(Set(inMay.map(\.id)) == Set((0..<24).map { "t\($0)" }))
        #expect(try first("lunch last week", "2023-05-24T12:00:00Z") == "t13")
        #expect(try first("lunch last month", "2023-06-24T12:00:00Z") == "t23")
        #expect(try first("lunch last Friday", "2023-05-24T12:00:00Z") == "t11")
        // Nothing after the very last one speaks for it.
        #expect(try first("lunch", "2023-05-24T12:00:00Z") == "t58")
    }

    @Test("A time that is asked for prefers exchanges that name one")
    func asksForTime() throws {
        let folder = try TemporaryFolder()
        let store = try store(folder, nil)
        try store.ingest(
            [
                exchange("x", "I painted the fence last week.", session: "1"),
                exchange("y", "I painted the fence and door.", session: "2"),
            ], policy: .chat)
        #expect(try store.search("When did you paint the fence?").map(\.id) == ["x", "y"])
        #expect(try store.search("painted fence").map(\.id) == ["y", "x"])
    }

    @Test("Small talk and what is not there bring nothing into a chat")
    func relevance() throws {
        let folder = try TemporaryFolder()
        let store = try store(folder)
        try store.ingest(
            Self.week + [exchange("h", "Hello!", "Hello!", day: 2)], policy: .chat)
        for query in ["", "Hello!", "Thanks, good night", "What is 17 times 23?", "Write a haiku"] {
            #expect(try store.relevant(to: query).isEmpty, "\(query)")
        }
        #expect(try store.relevant(to: "How is Bruno's broken leg?").first?.id == "a")
    }

    @Test("A repeated exchange comes into a chat once, the newest")
    func repeated() throws {
        let folder = try TemporaryFolder()
        let store = try store(folder)
        try store.ingest(
            (0..<5).map { (day: Int) in
                exchange("r\(day)", "My favourite tea is oolong.", day: day)
            },
            policy: .chat)
        #expect(try store.relevant(to: "favourite tea").map(\.id) == ["r4"])
        #expect(try store.search("favourite tea").count == 5)
    }

    @Test("Removing takes an exchange out of every search, and its words from its neighbours")
    func removes() throws {
        let folder = try TemporaryFolder()
        let store = try store(folder)
        try store.ingest(Self.week, policy: .chat)
        _ = try store.search("bandage")
        #expect(try store.remove(ids: ["b", "zzz"]) == 1)
        #expect(try store.count() == 4)
        let left = try store.search("vet blue bandage")
        #expect(!left.map(\.id).contains("b"))
        #expect(left.allSatisfy { $0.evidence.coverage == 0 })
        #expect(try store.statistics().vectors == 8)
    }

    @Test("Clearing leaves nothing, in the file neither, and frees the choice of embedder")
    func clears() throws {
        let folder = try TemporaryFolder()
        let first = try store(folder)
        try first.ingest(Self.week, policy: .chat)
        #expect(try first.clear() == 5)
        #expect(try first.count() == 0 && first.search("bandage").isEmpty)
        first.close()
        let names = try FileManager.default.contentsOfDirectory(atPath: first.directory.path)
        for name in names {
            let bytes = try Data(contentsOf: first.directory.appendingPathComponent(name))
            for word in ["bandage", "Verona"] {
                #expect(bytes.range(of: Data(word.utf8)) == nil, "\(word) in \(name)")
            }
        }
        let other = try store(folder, WordEmbedder(dimension: 8, identifier: "other"))
        try other.ingest(Self.week + Self.filler, policy: .chat)
        #expect(try other.search("bandage").first?.id == "b")
    }

    @Test("A store without vectors gets them when an embedder comes")
    func fillsVectors() throws {
        let folder = try TemporaryFolder()
        let without = try store(folder, nil)
        try without.ingest(Self.week, policy: .chat)
        #expect(try without.statistics().vectors == 0)
        without.close()
        let with = try store(folder)
        #expect(try with.ingest([Exchange](), policy: .chat).embedded == 10)
        #expect((try with.search("blue bandage").first?.denseScore ?? 0) > 0.3)
    }

    @Test("Another embedder is refused, with both names")
    func embedderMismatch() throws {
        let folder = try TemporaryFolder()
        let first = try store(folder)
        try first.ingest(Self.week, policy: .chat)
        first.close()
        let error = RetrievalError.embedderMismatch(
            path: RetrievalStore.databaseFile(in: first.directory).path,
            stored: "words (64 dimensions)", given: "other (64 dimensions)")
        #expect(throws: error) { try store(folder, WordEmbedder(identifier: "other")) }
        #expect(
            error.description.hasSuffix(
                "the vectors were made by words (64 dimensions), but the embedder is other (64 "
                    + "dimensions)."))
    }

    @Test("A failing embedder loses nothing that was there")
    func failingEmbedder() throws {
        let folder = try TemporaryFolder()
        let store = try store(folder, BrokenEmbedder())
        #expect(throws: RetrievalError.embeddingFailed(detail: "no weights")) {
            try store.ingest(Self.week, policy: .chat)
        }
        #expect(try store.count() == 0)
        store.close()
        let wrong = try self.store(folder, BrokenEmbedder(vectors: [[1, 0]]))
        #expect(throws: RetrievalError.embeddingShape(expectedCount: 10, count: 1, dimension: 4)) {
            try wrong.ingest(Self.week, policy: .chat)
        }
    }

    @Test("Stopping keeps what is done, and the next ingest does the rest")
    func stops() throws {
        let folder = try TemporaryFolder()
        let store = try store(folder)
        let many = Self.numbered(300)
        try store.ingest(many, policy: .chat) { done, total in
            #expect(total == 300)
            return done < 100
        }
        #expect(try store.count() == 128)
        #expect(try store.ingest(many, policy: .chat).added == 172)
        #expect(try store.search("number 299", limit: 1).first?.id == "m299")
    }

    @Test("A long text has several vectors and is found by its end, whole")
    func longText() throws {
        let folder = try TemporaryFolder()
        let embedder = WordEmbedder(dimension: 2048)
        let store = try store(folder, embedder)
        let filler = (0..<60).map { "Paragraph \($0) speaks of weather and clouds." }
        let text = filler.joined(separator: "\n\n") + "\n\nThe code word is kumquat."
        try store.ingest(
            [exchange("long", text), exchange("short", "clouds")], policy: .chat)
        let found = try #require(try store.search("code word kumquat", limit: 1).first)
        #expect(found.id == "long" && found.text.contains("Paragraph 0 "))
        #expect(try store.statistics().vectors > 3)
        #expect(embedder.embedded.allSatisfy { $0.count <= 900 })
        #expect(embedder.embedded.contains { $0.hasPrefix("Paragraph") && $0 != text })
    }

    @Test("Two programs fill one store while a third searches")
    func concurrent() async throws {
        let folder = try TemporaryFolder()
        let directory = folder.file("rag_memory")
        let many = Self.numbered(200)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for part in [Array(many.prefix(120)), Array(many.suffix(120))] {
                group.addTask {
                    let store = try RetrievalStore(directory: directory, embedder: WordEmbedder())
                    for one in part { try store.ingest([one], policy: .chat) }
                }
            }
            group.addTask {
                let store = try RetrievalStore(directory: directory, embedder: WordEmbedder())
                for _ in 0..<100 { _ = try store.search("number many") }
            }
            try await group.waitForAll()
        }
        let store = try RetrievalStore(directory: directory, embedder: WordEmbedder())
        #expect(try Set(store.list().map(\.id)) == Set(many.map(\.id)))
        #expect(try store.count() == 200 && store.statistics().vectors == 400)
    }

    @Test("A damaged database and a folder that is a file are named")
    func damaged() throws {
        let folder = try TemporaryFolder()
        let directory = folder.file("rag_memory")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let file = RetrievalStore.databaseFile(in: directory)
        try Data(repeating: 0x41, count: 8192).write(to: file)
        let error = #expect(throws: RetrievalError.self) { try store(folder) }
        guard case .storeCorrupt(let path, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(path == file.path)
        try Data("x".utf8).write(to: folder.file("plain"))
        #expect(
            throws: FileError.folderNotMade(path: folder.file("plain").path, code: ENOTDIR)
        ) { try RetrievalStore(directory: folder.file("plain"), embedder: nil) }
    }
}
