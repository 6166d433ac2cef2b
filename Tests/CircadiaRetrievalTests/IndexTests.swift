import CircadiaTestSupport
import Foundation
import Testing

import CircadiaConversation
import CircadiaRetrieval

/// What the index makes of words, names and quotations, seen through searches.
@Suite("Retrieval index")
struct IndexTests {
    private func store(_ exchanges: [Exchange], in folder: TemporaryFolder) throws -> RetrievalStore
    {
        let store = try RetrievalStore(directory: folder.file("rag"), embedder: nil)
        try store.ingest(exchanges, policy: .chat)
        return store
    }

    @Test(
        "Forms of a word share a term",
        arguments: [
            ("relational", "relate"), ("hopping", "hop"), ("agreed", "agree"), ("ponies", "pony"),
            ("hopefulness", "hopeful"), ("adjustable", "adjustment"), ("falling", "fell"),
            ("digitizer", "digitize"), ("probate", "probation"), ("Zürich", "zurich"),
        ])
    func stems(one: String, other: String) throws {
        let folder = try TemporaryFolder()
        let store = try store([exchange("a", "It was \(one) then.")], in: folder)
        #expect(try store.search(other).map(\.id) == ["a"])
    }

    @Test("Unlike words do not", arguments: ["universal sect", "singer5", "snowball"])
    func differentWords(word: String) throws {
        let folder = try TemporaryFolder()
        let store = try store([exchange("a", "A snowy umbrella, insect.")], in: folder)
        #expect(try store.search(word).isEmpty)
    }

    @Test("A question about a person prefers what that person said")
    func askedSide() throws {
        let folder = try TemporaryFolder()
        let talk = [
            exchange("1", "Hello there.", "Hey Anna, good to see you!", session: "s"),
            exchange("2", "Hi Berta! How are you?", "Fine, thanks, Anna.", session: "s"),
            exchange("3", "See you, Berta.", "Bye Anna!", session: "s"),
            exchange("4", "I adopted a kitten.", "How sweet.", session: "t"),
            exchange("5", "How sweet.", "I adopted a kitten.", session: "u"),
        ]
        let store = try store(talk, in: folder)
        #expect(try store.search("Who did Anna adopt, a kitten?").first?.id == "4")
        #expect(try store.search("Who did Berta adopt, a kitten?").first?.id == "5")
    }

    @Test("A phrase in quotation marks is found as it stands")
    func phrases() throws {
        let folder = try TemporaryFolder()
        let store = try store(
            [
                exchange("a", "We walk the long road home, the road, the road.", session: "a"),
                exchange("b", "Home is not a long road, or so they say.", session: "b"),
            ], in: folder)
        #expect(try store.search("\"not a long road\"").first?.id == "b")
        #expect(try store.search("\u{201C}long road home\u{201D}").first?.id == "a")
        #expect(try store.search("an odd \" mark is no phrase: road").count == 2)
    }

    @Test("Postings survive many blocks, removals and a second program")
    func manyBlocks() throws {
        let folder = try TemporaryFolder()
        let many = (0..<300).map { exchange("m\($0)", "Word\($0) common", session: "s\($0 % 7)") }
        let first = try store(many, in: folder)
        let second = try RetrievalStore(directory: folder.file("rag"), embedder: nil)
        for number in [0, 63, 64, 127, 200, 299] {
            #expect(try second.search("word\(number)", limit: 1).first?.id == "m\(number)")
        }
        #expect(try second.search("common", limit: 1000).count == 300)
        try first.remove(ids: ["m64", "m200"])
        #expect(try second.search("common", limit: 1000).count == 298)
        try first.ingest([exchange("new", "Word64 again common")], policy: .chat)
        #expect(try second.search("word64 again", limit: 1).first?.id == "new")
        #expect(try second.search("common", limit: 1000).count == 299)
        try first.clear()
        #expect(try second.search("common").isEmpty)
        try first.ingest([exchange("late", "common")], policy: .chat)
        #expect(try second.search("common").map(\.id) == ["late"])
    }

    @Test("An exchange without vectors leaves those of its block alone when it goes")
    func removalWithoutVectors() throws {
        let folder = try TemporaryFolder()
        let directory = folder.file("rag")
        let store = try RetrievalStore(directory: directory, embedder: WordEmbedder())
        let said = Exchange(
            id: "a", timestamp: nil, session: "s",
            messages: [ChatMessage(role: .user, content: "A kitten sleeps.")])
        try store.ingest([said], policy: .chat)
        let before = try store.search("kitten").first?.denseScore
        #expect((before ?? 0) > 0)
        let other = try RetrievalStore(directory: directory, embedder: nil)
        try other.ingest([exchange("b", "Rain.")], policy: .chat)
        try other.forget(ids: ["b"])
        #expect(try store.search("kitten").first?.denseScore == before)
    }
}
