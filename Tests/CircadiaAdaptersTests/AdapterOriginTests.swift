import CircadiaTestSupport
import Foundation
import Testing

@testable import CircadiaAdapters
@testable import CircadiaAnalysis
@testable import CircadiaConversation

/// Which adapter a night continues from.
@Suite("Adapter origin")
struct AdapterOriginTests {
    private let folder: AdapterFolder

    init() throws { folder = try AdapterFolder() }

    private func exchange(_ id: String, tags: [String] = []) -> CleanExchange {
        CleanExchange(
            cleaning: Exchange(
                id: id, messages: [ChatMessage(role: .user, content: "About \(id)?")], tags: tags))
    }

    private func origin(_ log: [CleanExchange] = []) -> AdapterOrigin {
        AdapterOrigin(of: folder.url, model: "tiny", log: log)
    }

    @Test("It is the base model where there is no adapter, or else the one in use")
    func usual() throws {
        #expect(origin().directory == nil && origin().name == nil && origin().version == nil)
        #expect(origin().ledger(isFresh: false).nights == 0)
        try folder.night(1, parent: nil, trained: ["a"])
        let found = origin()
        #expect(found.name == "nightly_update" && found.version == 1)
        #expect(found.replacement == nil && found.ledger(isFresh: false).nights == 1)
        #expect(found.ledger(isFresh: true).nights == 0)
    }

    @Test("What was forgotten sends a night back to a version that never knew it")
    func forgotten() throws {
        try folder.night(1, parent: nil, trained: ["a"])
        try folder.night(2, parent: 1, trained: ["a", "b"])
        let adapters = TrainedAdapters(root: folder.versions.root)
        try adapters.markStale(forgetting: [ContentHash(rawValue: "b")])
        let first = folder.versions.url(of: 1)
        #expect(origin().name == "versions/0001")
        #expect(
            origin().replacement
                == .forgotten(adapter: folder.url.relativePath, start: first.relativePath))
        try adapters.markStale(forgetting: [ContentHash(rawValue: "a")])
        #expect(
            origin().replacement == .forgotten(adapter: folder.url.relativePath, start: nil))
        #expect(origin().directory == nil)
    }

    @Test("What was called bad after it was learnt sends a night back where it can")
    func unwanted() throws {
        let bad = exchange("x", tags: [Exchange.badTag])
        try folder.night(1, parent: nil, trained: ["a"])
        try folder.night(2, parent: 1, trained: ["a", bad.hash.rawValue])
        let first = folder.versions.url(of: 1)
        #expect(
            origin([bad]).replacement
                == .unwanted(exchanges: 1, start: first.relativePath))
        #expect(origin([exchange("x")]).replacement == nil)
        try folder.versions.use(1)
        _ = try folder.versions.prune(keeping: 1)
        #expect(origin([bad]).replacement == nil)
    }

    @Test("A resumed night finds the adapter it began with, or says why not")
    func resumed() throws {
        func resumed(_ name: String?) throws(AdapterOrigin.Problem) -> AdapterOrigin {
            try AdapterOrigin(beside: folder.url, wasNamed: name, model: "tiny")
        }
        #expect(try resumed(nil).directory == nil)
        try folder.night(1, parent: nil, trained: ["a"])
        #expect(try resumed("versions/0001").version == 1)
        let gone = folder.versions.url(of: 2).relativePath
        #expect(throws: AdapterOrigin.Problem.gone(path: gone)) { try resumed("versions/0002") }
        try TrainedAdapters(root: folder.versions.root)
            .markStale(forgetting: [ContentHash(rawValue: "a")])
        let stale = folder.versions.url(of: 1).relativePath
        #expect(throws: AdapterOrigin.Problem.forgotten(path: stale)) {
            try resumed("versions/0001")
        }
    }

    @Test("The new manifest names what was trained before and tonight")
    func manifest() throws {
        try folder.night(1, parent: nil, trained: ["a"])
        let hashes = ["b", "c"].map(ContentHash.init)
        let manifest = origin().manifest(
            afterTrainingOn: hashes, learning: [hashes[0]], isFresh: false)
        #expect(manifest.trained.map(\.rawValue) == ["a", "b", "c"] && manifest.isComplete)
        #expect(manifest.ledger?.nights == 2 && manifest.ledger?.knows(hashes[0]) == true)
        #expect(manifest.ledger?.knows(hashes[1]) == false)
        let fresh = origin().manifest(afterTrainingOn: hashes, learning: hashes, isFresh: true)
        #expect(fresh.trained == hashes && fresh.ledger?.nights == 1)
    }
}
