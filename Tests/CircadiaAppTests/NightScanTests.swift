import CircadiaTestSupport
import Foundation
import Testing

import CircadiaAdapters
import CircadiaAnalysis
import CircadiaApp
import CircadiaConversation
import CircadiaLog
import CircadiaNight
import CircadiaRetrieval

/// Counts how often a night over the sample week searches a text for secrets.
@Suite("Scans of a night")
struct NightScanTests {
    @Test("A night that fills a store searches every message of the week once")
    func once() throws {
        let tiny = try TinyChat()
        let adapter = tiny.folder.file("adapters/nightly_update")
        let week = try ChatLog.read(
            URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appending(path: "../../data/samples/week.jsonl"), repairing: false
        ).exchanges
        var options = SleepOptions()
        options.iterations = 1
        options.batchSize = 1
        options.maxSequenceLength = 128
        options.rehearsalShare = 0
        options.preferencePairs = 0
        options.diaryQuestions = 0
        options.gate = nil
        var settings = NightRunner.Settings(
            adapterDirectory: adapter, logPath: "week.jsonl", options: options)
        let folder = tiny.folder.file("rag")
        settings.store = NightRunner.Store {
            try RetrievalStore(directory: folder, embedder: WordEmbedder())
        }
        let lock = try SleepLock.take(for: adapter)
        defer { withExtendedLifetime(lock) {} }
        let counter = ScanCounter()
        var stored = 0
        try SecretDetector.$scanCounter.withValue(counter) {
            _ = try NightRunner(
                model: tiny.weights, modelName: "tiny", directory: tiny.directory,
                settings: settings
            ) { event in
                if case .stored(_, _, let new) = event { stored = new }
            }.run(week)
        }
        #expect(stored > 0)
        #expect(TrainingManifest.read(adapter: adapter)?.trained.isEmpty == false)
        #expect(counter.count == week.reduce(0) { $0 + $1.messages.count })
    }
}
