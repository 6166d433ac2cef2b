import CircadiaAdapters
import CircadiaConversation
import CircadiaFiles
import CircadiaFormats
import Foundation

/// The part of a report that a night's manifest does not hold: `nights/<number>.json` next to the
/// adapter's folder. Rejected nights have one too.
///
/// It names exchanges by their hashes, as training manifests do. It also holds answers of the
/// model, which may repeat chat text. Therefore only its owner can read it, purging forgotten
/// exchanges removes the answers, and only the latest nights have one.
package struct NightDiary: Sendable, Codable {
    /// The loss after a step.
    package typealias Point = LossPoint

    /// The answers to a question of the person, before the night and after it.
    package struct Answer: Sendable, Codable, Equatable {
        /// The held-out exchange whose first question this is.
        package var exchange: ContentHash
        /// The answers with the adapter that the night began with and with the candidate.
        package var before, after: String

        /// Makes an answer.
        package init(exchange: ContentHash, before: String, after: String) {
            self.exchange = exchange
            self.before = before
            self.after = after
        }
    }

    /// The flat report of the night.
    package var report: NightReport
    /// When it began.
    package var started: Date
    /// Mean training loss in nats a token, thinned to `LossPoint.mostPoints`.
    package var trainingLoss: [Point]
    /// Loss on the held-out conversations, in nats a token; empty if there are none.
    package var heldOutLoss: [Point]
    /// The destination of each of the log's exchanges.
    package var routing: RoutingTally
    /// Greedy answers to held-out questions.
    package var answers: [Answer]

    /// The diary of an outcome.
    ///
    /// - Parameters:
    ///   - outcome: the record of the night.
    ///   - routing: the destination of the log's exchanges.
    ///   - answers: answers to held-out questions.
    package init(_ outcome: NightOutcome, routing: RoutingTally, answers: [Answer]) {
        report = NightReport(outcome)
        started = outcome.night.started
        trainingLoss = outcome.curves.training
        heldOutLoss = outcome.curves.heldOut
        self.routing = routing
        self.answers = answers
    }
}

/// The diaries next to an adapter. Callers of methods that change files hold the `SleepLock`.
package struct NightDiaries: Sendable {
    /// The folder's name.
    package static let folderName = "nights"
    /// The most nights that keep a diary.
    package static let mostKept = 60

    private let folder: URL

    /// The diaries next to the adapter at `adapterDirectory`.
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

    /// The diary of a night; nil if it is missing or unreadable.
    ///
    /// A number is used again if nothing of a night was kept, so the start time must match too.
    package func diary(of night: NightManifest) -> NightDiary? {
        guard let diary = diary(of: night.version), let started = night.started else { return nil }
        // Times are written in whole seconds.
        return abs(diary.started.timeIntervalSince(started)) < 1 ? diary : nil
    }

    /// The latest diary with a number; nil if it is missing or unreadable.
    package func diary(of number: Int) -> NightDiary? {
        let decoder = RecordJSON.decoder(keys: .asDeclared)
        return (try? Data(contentsOf: url(of: number)))
            .flatMap { try? decoder.decode(NightDiary.self, from: $0) }
    }

    /// Writes a diary and removes those beyond `mostKept`.
    ///
    /// - Throws: `FileError` if it cannot be written, `EncodingError` if a number is not finite.
    package func save(_ diary: NightDiary) throws {
        let target = url(of: diary.report.version)
        try Folder.create(folder)
        try DurableFile.replace(
            target, with: try RecordJSON.bytes(diary, for: target, keys: .asDeclared))
        for number in numbers.dropLast(Self.mostKept) {
            try? FileManager.default.removeItem(at: url(of: number))
        }
    }

    /// Removes every answer, because answers may repeat exchanges that are to be forgotten.
    ///
    /// - Returns: the number of diaries that had answers.
    /// - Throws: the errors of `save`.
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
