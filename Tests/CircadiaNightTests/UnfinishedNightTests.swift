import CircadiaTestSupport
import Foundation
import Testing

import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaNight

/// Tests the record of an unfinished night.
@Suite("Unfinished night")
struct UnfinishedNightTests {
    private let folder: TemporaryFolder
    private let unfinished: UnfinishedNight
    private let log = NightFolder.log(3)

    init() throws {
        folder = try TemporaryFolder()
        unfinished = UnfinishedNight(of: folder.file("adapters/nightly_update"))
    }

    private func record(_ options: SleepOptions = SleepOptions()) -> NightRecord {
        NightRecord(
            number: 7, options: options, model: "tiny", modelFingerprint: "f",
            origin: "versions/0006", exchanges: log)
    }

    private var file: URL { unfinished.url.appendingPathComponent("night.json") }

    @Test("Only its owner can read it; it is read back and removed with its folders")
    func kept() throws {
        #expect(throws: SleepError.nothingToResume(path: unfinished.url.relativePath)) {
            try unfinished.record()
        }
        try unfinished.save(record())
        #expect(permissions(unfinished.url) == 0o700 && permissions(file) == 0o600)
        let read = try unfinished.record()
        #expect(read.number == 7 && read.exchanges == log.map(\.id))
        #expect(read.origin == "versions/0006" && read.options == SleepOptions())
        #expect(unfinished.summary?.started == read.started)
        unfinished.discard()
        #expect(!unfinished.exists)
        #expect(!FileManager.default.fileExists(atPath: folder.file("adapters/.training").path))
    }

    @Test("Torn records and those of another version are refused", arguments: [0, 5, 7])
    func refused(version: Int) throws {
        var other = record()
        other.version = version
        try unfinished.save(other)
        if version == 0 { try Data(contentsOf: file).dropLast(9).write(to: file) }
        #expect(throws: SleepError.nightUnreadable(path: file.relativePath)) {
            try unfinished.record()
        }
    }

    @Test("Each option that decides what is trained prevents resuming")
    func options() {
        var now = SleepOptions()
        #expect(record().differences(options: now, modelFingerprint: "f").isEmpty)
        now.iterations = 50
        now.gate = nil
        // These two do not change what is trained.
        now.checkpointInterval = 3
        now.diaryQuestions = 0
        #expect(
            record().differences(options: now, modelFingerprint: "g") == [
                .option(.iterations, was: "not given", now: "50"),
                .option(.withoutGate, was: "off", now: "on"), .model(name: "tiny"),
            ])
    }

    @Test("Forgotten or changed exchanges are not trained; later ones wait")
    func exchanges() throws {
        let record = record()
        #expect(try record.exchanges(in: NightFolder.log(5)).map(\.id) == log.map(\.id))
        #expect(throws: SleepError.nightChanged([.exchangesGone(1, of: 3)])) {
            try record.exchanges(in: Array(log.dropFirst()))
        }
        var changed = log.map(\.exchange)
        changed[0].messages[0].content = "Something else?"
        changed[1].messages[1].content = "No."
        #expect(throws: SleepError.nightChanged([.exchangesGone(2, of: 3)])) {
            try record.exchanges(in: changed.cleaned)
        }
    }

    @Test("It is removed if its exchanges have left the log for good")
    func forgotten() throws {
        try unfinished.save(record())
        #expect(!unfinished.discard(unlessAllIn: log))
        #expect(unfinished.exists)
        #expect(unfinished.discard(unlessAllIn: [log[0]]))
        #expect(!unfinished.exists)
    }
}
