import CircadiaTestSupport
import Foundation
import Testing

import CircadiaConversation
import CircadiaRetrieval

/// What searches of large stores do differently, tried on small ones: signs before vectors, and the
/// index in a file.
@Suite("Retrieval store: large stores")
struct LargeStoreTests {
    /// Directions that follow from a text's hash, nearer to each other where texts share a beginning.
    private struct HashEmbedder: TextEmbedding {
        let dimension = 100
        let identifier = "hash"

        func embed(_ texts: [String]) throws -> [[Float]] {
            texts.map { text in
                func direction(_ text: Substring) -> [Float] {
                    var generator = SplitMix64(
                        seed: text.utf8.reduce(UInt64(5381)) { ($0 &* 33) ^ UInt64($1) })
                    return generator.floats(dimension)
                }
                var vector = zip(direction(text.prefix(8)), direction(text[...])).map {
                    $0 + $1 / 2
                }
                let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
                for index in vector.indices { vector[index] /= length }
                return vector
            }
        }
    }

    private static let topics = ["boat sails", "kitten sleeps", "bread bakes", "garden grows"]

    private static func talk(_ range: Range<Int>) -> [Exchange] {
        range.map { number in
            exchange(
                "m\(number)", "\(topics[number % 4]), word\(number % 17) number\(number)",
                "Indeed word\(number % 5)", day: number / 10, session: "s\(number / 6)")
        }
    }

    private static let questions = [
        "boat sails in the harbour", "when does the kitten sleep, word3?", "number77",
        "bread bakes word16 and word4", "garden",
    ]

    private func store(
        _ folder: TemporaryFolder, sketchedRows: Int = .max, cachedSlots: Int = .max
    ) throws -> RetrievalStore {
        var limits = SearchLimits()
        limits.sketchedRows = sketchedRows
        limits.cachedSlots = cachedSlots
        return try RetrievalStore(
            directory: folder.file("rag"), embedder: HashEmbedder(), limits: limits)
    }

    private func answers(_ store: RetrievalStore) throws -> [[String]] {
        try Self.questions.map { try store.search($0, limit: 10).map(\.id) }
    }

    private func cache(_ folder: TemporaryFolder) -> URL {
        folder.file("rag").appendingPathComponent("search-index.cache")
    }

    private func exists(_ file: URL) -> Bool {
        FileManager.default.fileExists(atPath: file.path)
    }

    @Test("Comparing signs first finds what comparing all vectors finds")
    func signs() throws {
        let folder = try TemporaryFolder()
        let exact = try store(folder)
        try exact.ingest(Self.talk(0..<700), policy: .chat)
        let sketched = try store(folder, sketchedRows: 0)
        #expect(try answers(sketched) == answers(exact))
        for question in Self.questions {
            let (one, other) = (try sketched.search(question), try exact.search(question))
            for (one, other) in zip(one, other) {
                #expect(abs(one.score - other.score) < 1e-5 && one.evidence == other.evidence)
            }
        }
        // What comes and goes later is compared as well.
        try exact.ingest(Self.talk(700..<745), policy: .chat)
        #expect(try answers(sketched) == answers(exact))
        try exact.forget(ids: try answers(exact).map { $0[0] })
        #expect(try answers(sketched) == answers(exact))
    }

    @Test("Conversations that took turns are found like those that came one after the other")
    func takingTurns() throws {
        let talk = Self.talk(0..<300)
        // The first exchange of each conversation, then the second of each: no neighbour is beside.
        let turns = talk.indices.sorted { ($0 % 6, $0) < ($1 % 6, $1) }.map { talk[$0] }
        // One that goes on when others have begun.
        let mixed = Array(talk[0..<100]) + talk[102...] + talk[100..<102]
        let questions =
            Self.questions + ["\"kitten sleeps\" word3", "word5 on May 12, 2023", "nothing of it"]
        for embedder in [HashEmbedder(), nil] {
            let stores = try [talk, turns, mixed].map { order in
                let folder = try TemporaryFolder()
                let store = try RetrievalStore(directory: folder.file("rag"), embedder: embedder)
                try store.ingest(order, policy: .chat)
                return (store, folder)
            }
            for question in questions {
                let found = try stores.map { store, _ in
                    let found = try store.search(question, limit: 300)
                    return Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0) })
                }
                #expect(found[0].count == found[1].count && found[0].count == found[2].count)
                for (id, memory) in found[0] {
                    for other in found.dropFirst() {
                        let score = try #require(other[id]).score
                        #expect(abs(score - memory.score) < 1e-5, "\(question): \(id)")
                    }
                }
            }
        }
    }

    @Test("More words than fit at once are all weighed")
    func manyWords() throws {
        let folder = try TemporaryFolder()
        let store = try RetrievalStore(directory: folder.file("rag"), embedder: nil)
        let words = (0..<20).map { "term\(Character(UnicodeScalar(97 + $0)!))x" }
        try store.ingest(
            words.indices.map { number in
                exchange(
                    "m\(number)", words[0...number].joined(separator: " "), "Yes.",
                    session: "s\(number)")
            }, policy: .chat)
        let question = words.joined(separator: " ")
        let found = try store.search(question, limit: 20)
        #expect(found.count == 20 && found.first?.id == "m19")
        #expect(found.first.map { abs($0.evidence.coverage - 1) < 1e-5 } == true)
        #expect(try store.search(words[19], limit: 20).map(\.id) == ["m19"])
    }

    @Test("The index is kept in a private file that a reopened store finds the same with")
    func cached() throws {
        let folder = try TemporaryFolder()
        let plain = try store(folder)
        try plain.ingest(Self.talk(0..<300), policy: .chat)
        let expected = try answers(plain)
        #expect(!exists(cache(folder)))
        let writer = try store(folder, cachedSlots: 1)
        let before = try writer.statistics().byteCount
        #expect(try answers(writer) == expected)
        #expect(permissions(cache(folder)) == 0o600)
        #expect(try writer.statistics().byteCount > before)
        let reader = try store(folder, sketchedRows: 0, cachedSlots: 1)
        #expect(try answers(reader) == expected)
        // What the file lacks comes from the database, again and again.
        for number in 300..<420 where number % 40 == 0 {
            try plain.ingest(Self.talk(number..<number + 40), policy: .chat)
            #expect(try answers(reader) == answers(plain))
            #expect(try answers(store(folder, cachedSlots: 1)) == answers(plain))
        }
    }

    @Test("A file that is damaged, cut short or of another time is not used")
    func distrusted() throws {
        let folder = try TemporaryFolder()
        let plain = try store(folder)
        try plain.ingest(Self.talk(0..<200), policy: .chat)
        _ = try store(folder, cachedSlots: 1).search("boat")
        let good = try Data(contentsOf: cache(folder))
        let expected = try answers(plain)
        var damaged: [Data] = [Data(), good.prefix(100), good.prefix(good.count - 1)]
        for place in [0, 9, 17, 90, 65_536, 65_560, 2 * 65_536 + 3] {
            var bytes = good
            bytes[place] ^= 0x41
            damaged.append(bytes)
        }
        for bytes in damaged {
            try bytes.write(to: cache(folder))
            #expect(try answers(store(folder)) == expected)
        }
        // The whole file, but something was removed since it was made.
        try plain.remove(ids: ["m3"])
        try good.write(to: cache(folder))
        let without = try answers(plain)
        #expect(try answers(store(folder)) == without)
        #expect(!exists(cache(folder)))
    }

    @Test("A file of a database that went another way is not used")
    func otherHistory() throws {
        let folder = try TemporaryFolder()
        let first = try store(folder)
        try first.ingest(Self.talk(0..<100), policy: .chat)
        first.close()
        let copy = folder.file("copy")
        try FileManager.default.copyItem(at: folder.file("rag"), to: copy)
        let one = try store(folder, cachedSlots: 1)
        try one.ingest(Self.talk(100..<110), policy: .chat)
        _ = try one.search("boat")
        let file = try Data(contentsOf: cache(folder))
        let other = try RetrievalStore(directory: copy, embedder: HashEmbedder())
        try other.ingest(
            (0..<10).map { exchange("x\($0)", "A boat again, \($0).", day: 90 + $0) },
            policy: .chat)
        let expected = try answers(other)
        try file.write(to: copy.appendingPathComponent("search-index.cache"))
        let reopened = try RetrievalStore(directory: copy, embedder: HashEmbedder())
        #expect(try answers(reopened) == expected)
    }

    @Test("Forgetting and clearing take the file with them")
    func forgotten() throws {
        let folder = try TemporaryFolder()
        let store = try store(folder, cachedSlots: 1)
        try store.ingest(Self.talk(0..<80), policy: .chat)
        _ = try store.search("boat")
        #expect(exists(cache(folder)))
        let unfinished = folder.file("rag").appendingPathComponent("search-index.cache.new")
        try Data("left by a killed program".utf8).write(to: unfinished)
        try store.forget(ids: ["m0"])
        #expect(!exists(cache(folder)) && !exists(unfinished))
        _ = try store.search("boat")
        #expect(exists(cache(folder)))
        // Repeated by a program after one that was killed: nothing is left to forget but the file.
        try store.forget(ids: ["m0"])
        #expect(!exists(cache(folder)))
        _ = try store.search("boat")
        try store.clear()
        #expect(!exists(cache(folder)))
    }
}
