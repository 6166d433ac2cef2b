import CircadiaTestSupport
import Foundation
import Testing

import CircadiaAdapters
import CircadiaConversation
import CircadiaFormats
import CircadiaModel

/// A folder of adapters of a tiny model.
struct AdapterFolder {
    let tiny: TinyChat
    let url: URL
    var versions: AdapterVersions { AdapterVersions(beside: url) }

    init() throws {
        tiny = try TinyChat()
        url = tiny.folder.file("adapters/nightly_update")
    }

    /// Writes an adapter, with a manifest that names these hashes.
    func write(
        to place: URL, seed: UInt64 = 0, trained: [String] = [], learnt: [String]? = nil,
        night: NightManifest? = nil, written: Date = Date()
    ) throws {
        var ledger = TrainingLedger()
        ledger.note(night: (learnt ?? trained).map(ContentHash.init))
        let manifest = TrainingManifest(
            model: "tiny", trained: trained.map(ContentHash.init), written: written,
            ledger: ledger)
        var attachments = [TrainingManifest.fileName: manifest.bytes]
        if let night { attachments[NightManifest.fileName] = try versions.bytes(of: night) }
        let adapter = LoRAAdapter(
            configuration: AdapterConfiguration(
                kind: .lora, numLayers: 2,
                loraParameters: .init(rank: 2, scale: 20, dropout: 0, keys: nil)),
            model: tiny.weights.configuration, seed: seed)
        try adapter.save(to: place, attachments: attachments)
    }

    /// Writes a version and puts it in use.
    func night(_ number: Int, parent: Int?, trained: [String] = []) throws {
        var night = NightManifest(version: number, adapter: url.lastPathComponent)
        night.parent = parent
        versions.makeFolder()
        try write(
            to: versions.url(of: number), seed: UInt64(number), trained: trained, night: night)
        try versions.log(night)
        try versions.use(number)
    }

    func weights(_ folder: URL) throws -> Data {
        try Data(contentsOf: folder.appendingPathComponent(AdapterDirectory.weightsName))
    }
}

/// Tests the versions that nights make.
@Suite("Adapter versions")
struct AdapterVersionsTests {
    private let folder: AdapterFolder
    private var versions: AdapterVersions { folder.versions }

    init() throws { folder = try AdapterFolder() }

    @Test("A version is put in use and taken back")
    func use() throws {
        #expect(versions.numberInUse == nil && versions.nextNumber() == 1)
        try folder.night(1, parent: nil)
        try folder.night(2, parent: 1)
        #expect(versions.numberInUse == 2 && versions.all.map(\.name) == ["0001", "0002"])
        #expect(try folder.weights(folder.url) == folder.weights(versions.url(of: 2)))
        try versions.use(1)
        #expect(versions.numberInUse == 1)
        #expect(try folder.weights(folder.url) == folder.weights(versions.url(of: 1)))
        try versions.useBase()
        #expect(versions.numberInUse == nil && versions.all.count == 2)
        // Numbers are never used again.
        #expect(versions.nextNumber() == 3)
    }

    @Test("Ancestors are found even if they are no longer kept")
    func ancestors() throws {
        for number in 1...4 { try folder.night(number, parent: number > 1 ? number - 1 : nil) }
        let removed = try versions.prune(keeping: 2)
        #expect(removed.map(\.number) == [1, 2] && versions.all.map(\.number) == [3, 4])
        #expect(versions.ancestors(of: 4) == [3, 2, 1] && versions.ancestors(of: 1).isEmpty)
    }

    @Test("The version in use is never pruned")
    func pruned() throws {
        for number in 1...4 { try folder.night(number, parent: nil) }
        try versions.use(1)
        #expect(try versions.prune(keeping: 2).map(\.number) == [2, 3])
        #expect(try versions.prune(keeping: 0).map(\.number) == [4])
        #expect(versions.all.map(\.number) == [1])
    }

    @Test("Forgotten exchanges make versions stale, and stale ones can be removed")
    func stale() throws {
        try folder.night(1, parent: nil, trained: ["a"])
        try folder.night(2, parent: 1, trained: ["a", "b"])
        let adapters = TrainedAdapters(root: versions.root)
        try adapters.markStale(forgetting: [ContentHash(rawValue: "b")])
        #expect(versions.all.map(\.isStale) == [false, true])
        #expect(try versions.removeStale(keepingThoseOf: [ContentHash(rawValue: "b")]).isEmpty)
        try adapters.unmark(remembering: [ContentHash(rawValue: "b")])
        #expect(versions.all.map(\.isStale) == [false, false])
        try adapters.markStale(forgetting: [ContentHash(rawValue: "a")])
        #expect(try versions.removeStale().map(\.number) == [1, 2])
        // The adapter in use stays until the next night.
        #expect(AdapterDirectory.isPresent(at: folder.url))
    }

    @Test("An imported adapter becomes a version once")
    func adopted() throws {
        #expect(try versions.adopt() == nil)
        try folder.write(to: folder.url, seed: 9)
        #expect(try versions.adopt() == 1)
        #expect(try versions.adopt() == 1)
        #expect(versions.all.map(\.number) == [1] && versions.numberInUse == 1)
        #expect(versions.all[0].manifest.verdict.hasPrefix("not judged"))
        #expect(try folder.weights(folder.url) == folder.weights(versions.url(of: 1)))
    }

    @Test("A night is listed once, and torn lines are skipped")
    func listed() throws {
        let night = NightManifest(version: 3, adapter: "nightly_update")
        try FileManager.default.createDirectory(
            at: versions.root, withIntermediateDirectories: true)
        try versions.log(night)
        try versions.log(night)
        let file = try FileHandle(forWritingTo: versions.logURL)
        try file.seekToEnd()
        try file.write(contentsOf: Data(#"{"version":4,"adap"#.utf8))
        try file.close()
        #expect(versions.nights.map(\.version) == [3] && versions.nextNumber() == 4)
        try versions.log(NightManifest(version: 5, adapter: "nightly_update"))
        #expect(versions.nights.map(\.version) == [3, 5])
    }

    @Test("Nights of 0.1.0 are read and written again with the same content")
    func released() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
            .appendingPathComponent("circadiaTests/Fixtures/0.1.0/home/adapters/nights.jsonl")
        let lines = try Data(contentsOf: file).split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 3)
        for line in lines {
            let night = try #require(NightManifest.parse(line: Data(line)))
            let again = try versions.bytes(of: night)
            func object(_ data: Data) throws -> NSDictionary? {
                try JSONSerialization.jsonObject(with: data) as? NSDictionary
            }
            #expect(try object(Data(line)) == object(Data(again)))
        }
    }
}
