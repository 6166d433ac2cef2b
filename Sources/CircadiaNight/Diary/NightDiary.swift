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
    /// The loss after a step, nats a token.
    package struct Point: Sendable, Codable, Equatable {
        /// The step; 0 is before the first.
        package var step: Int
        /// Nats a token; of training, the mean of the batch before the step.
        package var loss: Double

        /// Makes a point.
        package init(step: Int, loss: Double) {
            self.step = step
            self.loss = loss
        }
    }

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

    /// Makes a diary.
    package init(
        report: NightReport, started: Date, trainingLoss: [Point], heldOutLoss: [Point],
        routing: RoutingTally, answers: [Answer]
    ) {
        self.report = report
        self.started = started
        self.trainingLoss = trainingLoss
        self.heldOutLoss = heldOutLoss
        self.routing = routing
        self.answers = answers
    }

    /// Points of a curve at most.
    static let mostPoints = 200

    /// At most `count` points: means of equal stretches, each at its last step.
    static func thinned(_ points: [Point], to count: Int = mostPoints) -> [Point] {
        guard points.count > count else { return points }
        return (0..<count).map { index in
            let stretch = points[
                (points.count * index / count)..<(points.count * (index + 1) / count)]
            return Point(
                step: stretch.last?.step ?? 0,
                loss: stretch.reduce(0) { $0 + $1.loss } / Double(stretch.count))
        }
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
    package func diary(of number: Int) -> NightDiary? {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return (try? Data(contentsOf: url(of: number)))
            .flatMap { try? decoder.decode(NightDiary.self, from: $0) }
    }

    /// Keeps a diary, and removes those of nights long past.
    ///
    /// - Throws: `FormatError` where it cannot be written, and what JSON refuses.
    package func save(_ diary: NightDiary) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        // A night that went astray has such numbers.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        AdapterDirectory.removeStrays(beside: url(of: diary.report.version))
        try DurableFile.write(
            Array(try encoder.encode(diary)) + [10], to: url(of: diary.report.version))
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
