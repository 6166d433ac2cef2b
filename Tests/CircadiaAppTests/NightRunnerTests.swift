import CircadiaTestSupport
import Foundation
import Testing

import CircadiaAdapters
import CircadiaApp
import CircadiaConversation
import CircadiaFormats
import CircadiaNight
import CircadiaRetrieval

/// Tests of a night of a tiny model, started as a front end starts it.
@Suite("Night runner")
struct NightRunnerTests {
    private let tiny: TinyChat
    private let events = Events()

    private final class Events {
        var all: [NightRunner.Event] = []
        var onEvent: (NightRunner.Event) -> Void = { _ in }

        func add(_ event: NightRunner.Event) {
            all.append(event)
            onEvent(event)
        }

        func contains(_ name: String) -> Bool { all.contains { "\($0)".hasPrefix(name) } }
    }

    init() throws { tiny = try TinyChat() }

    private var adapter: URL { tiny.folder.file("adapters/nightly_update") }
    private var log: URL { tiny.folder.file("data/log.jsonl") }

    private var exchanges: [Exchange] {
        let words = ["tea", "bread", "rain", "paper", "music", "stone"]
        return words.enumerated().map { number, word in
            exchange(
                "e\(number)", "Do you like \(word)?", "Of course, \(word).", day: number,
                session: "s\(number)")
        }
    }

    private func settings() -> NightRunner.Settings {
        var options = SleepOptions()
        options.iterations = 2
        options.batchSize = 2
        options.maxSequenceLength = 256
        options.rehearsalShare = 0
        options.preferencePairs = 0
        options.diaryQuestions = 0
        options.gate = nil
        return NightRunner.Settings(
            adapterDirectory: adapter, logPath: log.path, options: options)
    }

    private func run(
        _ settings: NightRunner.Settings, isCancelled: @escaping () -> Bool = { false }
    ) throws -> NightOutcome {
        let lock = try SleepLock.take(for: adapter)
        defer { withExtendedLifetime(lock) {} }
        return try NightRunner(
            model: tiny.weights, modelName: "tiny", directory: tiny.directory,
            settings: settings, isCancelled: isCancelled, report: events.add
        ).run(exchanges)
    }

    @Test("A night trains, promotes an adapter and reports its progress")
    func night() throws {
        var settings = self.settings()
        // The night trains every exchange that is not held out.
        settings.options.iterations = 4
        let outcome = try run(settings)
        #expect(outcome.isAccepted && outcome.selection.waiting == 0)
        #expect(AdapterDirectory.isPresent(at: adapter))
        #expect(events.contains("night(") && !events.contains("stored"))
        settings.onlyIfDue = true
        settings.options.replayShare = 0
        #expect(throws: SleepError.nothingDue(path: log.path)) { try run(settings) }
    }

    @Test("A night fills the store first, if it is asked to")
    func store() throws {
        let folder = tiny.folder.file("rag")
        var settings = self.settings()
        settings.store = NightRunner.Store {
            try RetrievalStore(directory: folder, embedder: WordEmbedder())
        }
        _ = try run(settings)
        guard case .stored(let count, let selected, let new)? = events.all.first else {
            Issue.record("the store was not filled first")
            return
        }
        #expect(count == exchanges.count && selected == new)
        let store = try RetrievalStore(directory: folder, embedder: nil)
        #expect(try store.count() == new)
    }

    @Test("A night waits for a chat that is in use, and goes on after it")
    func chat() throws {
        try FileManager.default.createDirectory(
            at: log.deletingLastPathComponent(), withIntermediateDirectories: true)
        var presence = ChatPresence(log: log)
        try #require(presence != nil)
        events.onEvent = { if case .waitsForChat = $0 { presence = nil } }
        var settings = self.settings()
        settings.yieldsToChat = true
        #expect(try run(settings).isAccepted)
        #expect(events.contains("waitsForChat") && events.contains("goesOn"))
    }

    @Test("A cancelled night is interrupted, goes on later and ends with the same adapter")
    func interruption() throws {
        var isCancelled = false
        events.onEvent = { if case .night(.training) = $0 { isCancelled = true } }
        #expect(throws: SleepError.self) { try run(self.settings(), isCancelled: { isCancelled }) }
        #expect(!AdapterDirectory.isPresent(at: adapter))
        events.onEvent = { _ in }
        var settings = self.settings()
        settings.resumes = true
        #expect(try run(settings).isAccepted)
        let weights = try Data(
            contentsOf: adapter.appendingPathComponent(AdapterDirectory.weightsName))

        try FileManager.default.removeItem(at: adapter.deletingLastPathComponent())
        #expect(try run(self.settings()).isAccepted)
        #expect(
            try Data(contentsOf: adapter.appendingPathComponent(AdapterDirectory.weightsName))
                == weights)
    }

    @Test("A file, or a kept version, cannot be the place of a night")
    func places() throws {
        let file = tiny.folder.file("file")
        try Data().write(to: file)
        #expect(throws: NightPlaceError.isFile(path: file.relativePath)) {
            try SleepLock.take(for: file)
        }
        let version = tiny.folder.file("adapters/\(AdapterVersions.folderName)/0001")
        #expect(
            throws: NightPlaceError.isKeptVersion(path: version.relativePath, version: "0001")
        ) { try SleepLock.take(for: version) }
        let lock = try SleepLock.take(for: adapter)
        #expect(throws: SleepError.self) { try SleepLock.take(for: adapter) }
        withExtendedLifetime(lock) {}
    }
}
