import CircadiaConversation
import CircadiaFiles
import Foundation

/// The lasting record of a judged night: `night.json` in its version's folder, and a line of
/// `nights.jsonl`, which also lists rejected nights.
///
/// It contains numbers and hashes, and no chat text. It is a view of the night's outcome. This
/// target knows only what versions need, so it keeps the gate's figures as JSON.
package struct NightManifest: Sendable, Codable {
    /// The file's name in an adapter's folder.
    package static let fileName = "night.json"

    /// The night's number, which is also the name of its version.
    package var version: Int
    /// The name of the folder of the adapter that it trained, such as `nightly_update`.
    package var adapter: String
    /// The version that the night continued from; nil for the base model.
    package var parent: Int?
    /// When it began; nil for an adapter that no night of this program made.
    package var started: Date?
    /// Wall time in seconds.
    package var seconds: Double?
    /// Whether the candidate was promoted.
    package var accepted = true
    /// The verdict in one sentence.
    package var verdict: String
    /// The model that was adapted.
    package var model: String?
    /// A fingerprint of the model's weights.
    package var modelFingerprint: String?
    /// The settings by their names in this file.
    package var recipe: [String: String]?
    /// Exchanges that this night trained.
    package var exchangesTrained: Int?
    /// Of these, exchanges that were new to the adapter, and older ones that were replayed.
    package var exchangesNew, exchangesReplayed: Int?
    /// Scored tokens trained on, every pass counted.
    package var tokensTrained: Int?
    /// The optimiser step that the adapter comes from.
    package var steps: Int?
    /// Mean training loss over the last tenth of the steps, nats a token.
    package var trainLoss: Double?
    /// Held-out loss with the adapter before the night and with the candidate, nats a token. On
    /// disk the keys are `heldout_loss_before` and `heldout_loss_after`.
    package var heldoutLossBefore, heldoutLossAfter: Double?
    /// The gate's figures; nil if no gate judged.
    package var gate: JSONValue?
    /// The version of the code.
    package var codeVersion: String?
    /// Hashes of the trained exchanges; in the version's folder only.
    package var trained: [ContentHash]?
    /// Hashes of the held-out exchanges; in the version's folder only.
    package var heldOut: [ContentHash]?

    /// The manifest of a version that no night of this program made.
    package init(version: Int, adapter: String) {
        self.version = version
        self.adapter = adapter
        verdict = "not judged: made elsewhere, or before versions were kept"
    }

    /// The manifest as a line of `nights.jsonl`: without the hashes, which are in the version's
    /// folder.
    package var entry: NightManifest {
        var entry = self
        entry.trained = nil
        entry.heldOut = nil
        return entry
    }

    /// Reads the manifest in an adapter's folder; nil if it is missing or unreadable.
    package static func read(adapter: URL) -> NightManifest? {
        (try? Data(contentsOf: adapter.appendingPathComponent(fileName)))
            .flatMap { try? decoder.decode(NightManifest.self, from: $0) }
    }

    /// Reads a line of `nights.jsonl`; nil if it is torn.
    package static func parse(line: Data) -> NightManifest? {
        try? decoder.decode(NightManifest.self, from: line)
    }

    private static var decoder: JSONDecoder { RecordJSON.decoder() }
}
