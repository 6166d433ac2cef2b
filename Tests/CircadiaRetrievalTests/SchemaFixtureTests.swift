import CircadiaTestSupport
import Foundation
import Testing

import CircadiaConversation
import CircadiaRetrieval

/// Stores that released versions wrote. A new schema adds a fixture; none is ever changed.
@Suite("Retrieval store: schemas")
struct SchemaFixtureTests {
    private static let fixtures = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Fixtures")

    /// What each fixture holds.
    static let exchanges: [Exchange] = [
        exchange("first", "The boat is called Petrel.", "A fine name.", day: 0, tags: ["boat"]),
        exchange("second", "It leaks at https://example.org/leak", "Oh dear.", day: 1),
        exchange("third", "Nothing else.", day: nil, session: nil),
    ]

    @Test(
        "A store of each schema opens, is brought up to date and works",
        arguments: ["v1", "v2", "v3"])
    func opens(version: String) throws {
        let folder = try TemporaryFolder()
        let directory = folder.file("rag_memory")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: Self.fixtures.appendingPathComponent("store-\(version).sqlite"),
            to: RetrievalStore.databaseFile(in: directory))
        let store = try RetrievalStore(
            directory: directory, embedder: WordEmbedder(dimension: 16, identifier: "fixture"))
        #expect(try store.list() == Self.exchanges)
        #expect(try store.statistics().vectors == (version == "v1" ? 3 : 6))
        let found = try store.search("the name of the boat").first
        #expect(found?.id == "first")
        // Two of the question's words, “the” and “boat”, among five, of one side; v1 knew no sides.
        #expect((found?.denseScore ?? 0) > 0.3)
        let report = try store.ingest(
            Self.exchanges + [exchange("fourth", "We sail on.", day: 2)], policy: .chat)
        #expect(report.added == 1 && report.alreadyThere == 3 && report.embedded == 2)
        #expect(try store.remove(ids: ["second"]) == 1)
        #expect(try store.count() == 3)
    }

    /// `CIRCADIA_RECORD_STORE` names the file where a new schema's fixture shall lie.
    @Test("A fixture of today's schema can be recorded")
    func records() throws {
        let folder = try TemporaryFolder()
        let file =
            Surroundings.variable("CIRCADIA_RECORD_STORE") ?? folder.file("store.sqlite").path
        let store = try RetrievalStore(
            directory: folder.file("rag_memory"),
            embedder: WordEmbedder(dimension: 16, identifier: "fixture"))
        try store.ingest(Self.exchanges, policy: .chat)
        store.close()
        // With its write-ahead log: `sqlite3 FOLDER/memory.sqlite "VACUUM INTO 'store-vN.sqlite'"`.
        try FileManager.default.copyItem(at: store.directory, to: URL(fileURLWithPath: file))
        let recorded = URL(fileURLWithPath: file).appendingPathComponent("memory.sqlite")
        #expect(FileManager.default.fileExists(atPath: recorded.path))
    }

    @Test("A store of a later version is refused, not damaged")
    func tooNew() throws {
        let folder = try TemporaryFolder()
        let directory = folder.file("rag_memory")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let file = RetrievalStore.databaseFile(in: directory)
        // The name of the migration, changed in place to one that this version does not know.
        var bytes = try Data(
            contentsOf: Self.fixtures.appendingPathComponent("store-v1.sqlite"))
        var searchFrom = bytes.startIndex
        while let range = bytes.range(of: Data("v1".utf8), in: searchFrom..<bytes.endIndex) {
            bytes.replaceSubrange(range, with: Data("v9".utf8))
            searchFrom = range.upperBound
        }
        try bytes.write(to: file)
        #expect(throws: RetrievalError.storeTooNew(path: file.path)) {
            try RetrievalStore(directory: directory, embedder: nil)
        }
        #expect(
            RetrievalError.storeTooNew(path: "/x").description
                == "/x: the retrieval store was written by a newer circadia.")
    }
}
