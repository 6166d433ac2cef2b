import CircadiaConversation
import Foundation

/// What is written down of a night that was judged: `night.json` in its version's folder, and a line of
/// `nights.jsonl`, which rejected nights have too. Numbers and hashes, nothing of what was said.
package struct NightManifest: Sendable, Codable {
    /// The file's name in an adapter's folder.
    package static let fileName = "night.json"

    /// The night's number, by which its version is called.
    package var version: Int
    /// The name of the folder of the adapter that it trained, such as `nightly_update`.
    package var adapter: String
    /// The version that the night went on from; nil for the base model.
    package var parent: Int?
    /// When it began; nil of an adapter that no night of this program made.
    package var started: Date?
    /// Wall time.
    package var seconds: Double?
    /// Whether the candidate was promoted.
    package var accepted = true
    /// Why, in one sentence.
    package var verdict: String
    /// The model that was adapted.
    package var model: String?
    /// Tells its weights from others.
    package var modelFingerprint: String?
    /// The settings, as flags of `circadia sleep` with their values.
    package var recipe: [String: String]?
    /// Exchanges trained on, this night alone.
    package var exchangesTrained: Int?
    /// Of these, exchanges that were new to the adapter, and older ones.
    package var exchangesNew, exchangesReplayed: Int?
    /// Scored tokens trained on, every pass counted.
    package var tokensTrained: Int?
    /// Optimiser steps behind the numbers.
    package var steps: Int?
    /// Mean training loss over the last tenth of the steps, nats a token.
    package var trainLoss: Double?
    /// Held-out loss with the adapter before and with the candidate, nats a token.
    package var heldoutLossBefore, heldoutLossAfter: Double?
    /// How the candidate was judged; nil without a gate.
    package var gate: GateReport?
    /// The version of the code.
    package var codeVersion: String?
    /// Hashes of the exchanges that were trained on; in the version's folder only.
    package var trained: [ContentHash]?
    /// Hashes of those that were only measured; in the version's folder only.
    package var heldOut: [ContentHash]?

    /// A manifest of a version that no night of this program made.
    init(version: Int, adapter: String) {
        self.version = version
        self.adapter = adapter
        verdict = "not judged: made elsewhere, or before versions were kept"
    }

    /// The manifest of a night that has ended.
    init(
        version: Int, adapter: String, parent: Int?, record: NightRecord,
        prepared: NightRecord.Prepared, report: NightReport
    ) {
        self.version = version
        self.adapter = adapter
        self.parent = parent
        started = record.started
        seconds = report.seconds
        accepted = report.accepted
        verdict = report.verdict
        model = record.model
        modelFingerprint = record.modelFingerprint
        recipe = report.options.recipe
        exchangesTrained = report.exchangesTrained
        exchangesNew = report.exchangesNew
        exchangesReplayed = report.exchangesReplayed
        tokensTrained = report.tokensTrained
        steps = report.finalStep
        trainLoss = report.trainLoss
        heldoutLossBefore = report.heldoutLossBefore
        heldoutLossAfter = report.heldoutLossAfter
        gate = report.gate
        codeVersion = report.codeVersion
        trained = prepared.trainedHashes.sorted()
        heldOut = prepared.heldOutHashes.sorted()
    }

    /// The same as a line of `nights.jsonl`: without the hashes, which the version's folder holds.
    var entry: NightManifest {
        var entry = self
        entry.trained = nil
        entry.heldOut = nil
        return entry
    }

    /// The manifest in an adapter's folder; nil where none can be read.
    package static func read(adapter: URL) -> NightManifest? {
        (try? Data(contentsOf: adapter.appendingPathComponent(fileName)))
            .flatMap { try? decoder.decode(NightManifest.self, from: $0) }
    }

    /// A line of `nights.jsonl`; nil where it is torn.
    static func parse(line: Data) -> NightManifest? {
        try? decoder.decode(NightManifest.self, from: line)
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        decoder.dateDecodingStrategy = .iso8601
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return decoder
    }
}
