import CircadiaAdapters
import CircadiaConversation
import CircadiaFiles
import CircadiaFormats
import Foundation

/// What the morning's report tells of a night beyond its manifest: `nights/<number>.json` beside the
/// adapter, of rejected nights too.
///
/// It names exchanges by their hashes, as training manifests do, and holds what the model answered, which
/// may repeat what was said: it is for its owner only, `forget --purge` removes the answers, and only
/// the latest nights have one.
package struct NightDiary: Sendable, Codable {
    /// The loss after a step.
    package typealias Point = LossPoint

    /// What a question of the person's was answered before and after.
    package struct Answer: Sendable, Codable, Equatable {
        /// The exchange whose first question it is; it was held out.
        package var exchange: ContentHash
        /// With the adapter that the night began with, and with the candidate.
        package var before, after: String

        /// Makes an answer.
        package init(exchange: ContentHash, before: String, after: String) {
            self.exchange = exchange
            self.before = before
            self.after = after
        }
    }

    /// The night as `sleep --json` reports it.
    package var report: NightReport
    /// When it began.
    package var started: Date
    /// Mean training loss, thinned to `mostPoints`.
    package var trainingLoss: [Point]
    /// Loss on the held-out conversations; empty where none are.
    package var heldOutLoss: [Point]
    /// Where the log's exchanges went.
    package var routing: RoutingTally
    /// Greedy answers to questions that were held out.
    package var answers: [Answer]

    /// The diary of an outcome.
    ///
    /// - Parameters:
    ///   - outcome: the night.
    ///   - routing: where the log's exchanges went.
    ///   - answers: answers to questions that were held out.
    package init(_ outcome: NightOutcome, routing: RoutingTally, answers: [Answer]) {
        report = NightReport(outcome)
        started = outcome.night.started
        trainingLoss = outcome.curves.training
        heldOutLoss = outcome.curves.heldOut
        self.routing = routing
        self.answers = answers
    }
}

/// The diaries beside an adapter. The caller of what changes something holds the `SleepLock`.
package struct NightDiaries: Sendable {
    /// The folder's name.
    package static let folderName = "nights"
    /// Nights that keep a diary.
    package static let mostKept = 60

    private let folder: URL

    /// The diaries beside the adapter at `adapterDirectory`.
    package init(beside adapterDirectory: URL) {
        folder = adapterDirectory.deletingLastPathComponent()
            .appendingPathComponent(Self.folderName, isDirectory: true)
    }

    private func url(of number: Int) -> URL {
        folder.appendingPathComponent(AdapterVersions.name(of: number) + ".json")
    }

    private var numbers: [Int] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
            .filter { $0.hasSuffix(".json") }
            .compactMap { AdapterVersions.number(String($0.dropLast(5))) }.sorted()
    }

    /// The diary of a night; nil where none can be read.
    ///
    /// A number is used again where nothing of a night was kept, so the time it began counts too.
    package func diary(of night: NightManifest) -> NightDiary? {
        guard let diary = diary(of: night.version), let started = night.started else { return nil }
        // Times are written in whole seconds.
        return abs(diary.started.timeIntervalSince(started)) < 1 ? diary : nil
    }

    /// The latest diary that was kept under a number; nil where none can be read.
    package func diary(of number: Int) -> NightDiary? {
        let decoder = RecordJSON.decoder(keys: .asDeclared)
        return (try? Data(contentsOf: url(of: number)))
            .flatMap { try? decoder.decode(NightDiary.self, from: $0) }
    }

    /// Keeps a diary, and removes those of nights long past.
    ///
    /// - Throws: `FormatError` where it cannot be written, and what JSON refuses.
    package func save(_ diary: NightDiary) throws {
        let target = url(of: diary.report.version)
        try Folder.create(folder)
        try DurableFile.replace(
            target, with: try RecordJSON.bytes(diary, for: target, keys: .asDeclared))
        for number in numbers.dropLast(Self.mostKept) {
            try? FileManager.default.removeItem(at: url(of: number))
        }
    }

    /// Removes every answer: what a model said may repeat what was to be forgotten.
    ///
    /// - Returns: how many diaries held some.
    /// - Throws: as `save`.
    package func removeAnswers() throws -> Int {
        var count = 0
        for number in numbers {
            guard var diary = diary(of: number), !diary.answers.isEmpty else { continue }
            diary.answers = []
            try save(diary)
            count += 1
        }
        return count
    }
}
