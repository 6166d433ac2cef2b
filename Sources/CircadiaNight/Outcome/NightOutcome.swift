import CircadiaTraining
import Foundation

/// The one record of a night.
///
/// The manifest (`night.json` and a line of `nights.jsonl`), what `sleep --json` prints, the diary and the
/// report are views of it.
package struct NightOutcome: Sendable, Codable {
    /// Which night it was.
    package struct Identity: Sendable, Codable, Equatable {
        /// Its number, which is also the name of its version where it was accepted.
        package var number: Int
        /// When it began.
        package var started: Date
        /// The path of the adapter in use, and the name of its folder.
        package var adapter, adapterName: String
        /// The version that it continued from; nil for the base model.
        package var parent: Int?
        /// The model that was adapted.
        package var model: String
        /// Tells its weights from others.
        package var modelFingerprint: String
        /// The settings that were really used.
        package var options: SleepOptions
        /// The version of the code.
        package var codeVersion: String
    }

    /// Which night it was.
    package let night: Identity
    /// What was selected.
    package let selection: Selection.Summary
    /// What was trained and measured.
    package let rows: Rows.Summary
    /// What training was forecast to take.
    package let plan: TrainingPlan
    /// What it came to.
    let training: Candidate.Summary
    /// The losses step by step.
    package let curves: LossCurves
    /// How the candidate was judged.
    package let verdict: Verdict
    /// Wall time.
    package let seconds: Double
    /// The most memory that the process ever held.
    package let peakBytes: Int

    /// Whether the candidate was promoted.
    package var isAccepted: Bool { verdict.isAccepted }
}
