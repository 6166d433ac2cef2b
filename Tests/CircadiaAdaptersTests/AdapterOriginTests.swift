import CircadiaTestSupport
import Foundation
import Testing

import CircadiaAdapters
import CircadiaConversation

/// Tests which adapter a night continues from.
@Suite("Adapter origin")
struct AdapterOriginTests {
    private let folder: AdapterFolder

    init() throws { folder = try AdapterFolder() }

    private func origin(_ unwanted: Set<ContentHash> = []) -> AdapterOrigin {
        AdapterOrigin(of: folder.url, model: "tiny", unwanted: unwanted)
    }

    @Test("It is the adapter in use, or the base model if there is none")
    func usual() throws {
        #expect(origin().directory == nil && origin().name == nil && origin().version == nil)
        #expect(origin().ledger(isFresh: false).nights == 0)
        try folder.night(1, parent: nil, trained: ["a"])
        let found = origin()
        #expect(found.name == "nightly_update" && found.version == 1)
        #expect(found.replacement == nil && found.ledger(isFresh: false).nights == 1)
        #expect(found.ledger(isFresh: true).nights == 0)
    }

    @Test("After forgetting, a night continues from a version that never learnt the exchange")
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

    @Test("After a bad mark, a night continues from an earlier version, if there is one")
    func unwanted() throws {
        let bad = ContentHash(rawValue: "x")
        try folder.night(1, parent: nil, trained: ["a"])
        try folder.night(2, parent: 1, trained: ["a", "x"])
        let first = folder.versions.url(of: 1)
        #expect(
            origin([bad]).replacement == .unwanted(exchanges: 1, start: first.relativePath))
        #expect(origin([ContentHash(rawValue: "y")]).replacement == nil)
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

    @Test("The new manifest names the exchanges of earlier nights and of tonight")
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
