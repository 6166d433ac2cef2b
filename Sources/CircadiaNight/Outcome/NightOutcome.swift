import CircadiaTraining
import Foundation

/// The one record of a night.
///
/// The manifest (`night.json` and a line of `nights.jsonl`), the JSON output, the diary and the
/// report are views of it.
package struct NightOutcome: Sendable, Codable {
    /// The identity of the night.
    package struct Identity: Sendable, Codable, Equatable {
        /// Its number. If it was accepted, its version has the same number.
        package var number: Int
        /// When it began.
        package var started: Date
        /// The path of the adapter in use, and the name of its folder.
        package var adapter, adapterName: String
        /// The version that it continued from; nil for the base model.
        package var parent: Int?
        /// The model that was adapted.
        package var model: String
        /// A fingerprint of the model's weights.
        package var modelFingerprint: String
        /// The settings that were used.
        package var options: SleepOptions
        /// The version of the code.
        package var codeVersion: String
    }

    /// The identity of the night.
    package let night: Identity
    /// The selection in numbers and hashes.
    package let selection: Selection.Summary
    /// The rows that were trained and measured, in numbers.
    package let rows: Rows.Summary
    /// The forecast of training.
    package let plan: TrainingPlan
    /// Training in numbers.
    package let training: Candidate.Summary
    /// The losses step by step.
    package let curves: LossCurves
    /// The gate's verdict on the candidate.
    package let verdict: Verdict
    /// Wall time in seconds.
    package let seconds: Double
    /// The peak resident memory of the process, in bytes.
    package let peakBytes: Int

    /// Whether the candidate was promoted.
    package var isAccepted: Bool { verdict.isAccepted }
}
