import CircadiaConversation
import CircadiaFiles
import Foundation

/// What is kept of a night that was judged: `night.json` in its version's folder, and a line of
/// `nights.jsonl`, where rejected nights are listed too.
///
/// It holds numbers and hashes, and nothing of what was said. It is a view of the night's outcome; this
/// target only knows what versions need, and keeps the gate's figures as JSON.
package struct NightManifest: Sendable, Codable {
    /// The file's name in an adapter's folder.
    package static let fileName = "night.json"

    /// The night's number, which is also the name of its version.
    package var version: Int
    /// The name of the folder of the adapter that it trained, such as `nightly_update`.
    package var adapter: String
    /// The version that the night continued from; nil for the base model.
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
    /// The settings by their names in this file.
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
    /// The gate's figures; nil without a gate.
    package var gate: JSONValue?
    /// The version of the code.
    package var codeVersion: String?
    /// Hashes of the exchanges that were trained on; in the version's folder only.
    package var trained: [ContentHash]?
    /// Hashes of those that were only measured; in the version's folder only.
    package var heldOut: [ContentHash]?

    /// The manifest of a version that no night of this program made.
    package init(version: Int, adapter: String) {
        self.version = version
        self.adapter = adapter
        verdict = "not judged: made elsewhere, or before versions were kept"
    }

    /// The same as a line of `nights.jsonl`: without the hashes, which the version's folder holds.
    package var entry: NightManifest {
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

    private static var decoder: JSONDecoder { RecordJSON.decoder() }
}
