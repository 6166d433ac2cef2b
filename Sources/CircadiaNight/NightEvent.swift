import CircadiaAdapters
import CircadiaAnalysis
import CircadiaFormats
import CircadiaTraining
import Foundation

/// What happens in a night, for a front end to show.
package enum NightEvent: Sendable {
    /// An earlier night did not end and is given up for this one; `started` is nil where it cannot be read.
    case gaveUp(started: Date?)
    /// A night is resumed; so many later exchanges wait for the next one.
    case resumed(started: Date, laterExchanges: Int)
    /// The resumed night was begun by another version of the program.
    case begunByOtherVersion(String, current: String)
    /// A night had ended but its process was killed before it had cleaned up.
    case hadEnded(started: Date)
    /// The night continues from another adapter than the one in use.
    case originReplaced(AdapterOrigin.Replacement)
    /// The adapter in use has another shape than the options ask for, and stays as it is.
    case keepsShape(kind: AdapterConfiguration.Kind, rank: Int, scale: Double, blocks: Int)
    /// Exchanges of the log are not learnt.
    case leftOut(LeftOut)
    /// Good and tried paraphrases so far.
    case paraphrases(good: Int, tried: Int)
    /// Good pairs for preferences and questions asked so far.
    case preferences(good: Int, tried: Int)
    /// Stated preferences that hold and the pairs made for them; so many questions have none.
    case preferencePairs(stated: Int, training: Int, heldOut: Int, refused: Int)
    /// What is trained and measured.
    case rows(RowCounts)
    /// Exchanges that are new, rehearsed, and wait for another night.
    case selected(new: Int, replayed: Int, waiting: Int)
    /// Replies with a mark; those that were corrected or called good count double where `countsDouble`.
    case replies(rejected: Int, corrected: Int, good: Int, countsDouble: Bool)
    /// What training will do and take. Fewer steps than were wanted fit into the time.
    case plan(TrainingPlan, wantedIterations: Int)
    /// A step, or what else happened in training.
    case training(TrainingProgress)
    /// A candidate was judged.
    case judged(Verdict.Attempt)
    /// The adapter at a path is now this version.
    case promoted(adapter: String, version: Int)
    /// Old versions were removed; the latest `keeping` stay.
    case pruned([Int], keeping: Int)
    /// Old versions could not be removed, for this reason; the night is not lost.
    case pruningFailed(String)
    /// The diary could not be written, for this reason; the night is not lost.
    case diaryFailed(String)

    /// What of a log is not learnt: numbers of exchanges, or of replies.
    package struct LeftOut: Sendable, Equatable {
        /// Exchanges tagged `no-train`.
        package var tagged = 0
        /// Exchanges answered from memory.
        package var recalled = 0
        /// Replies that were called bad or corrected.
        package var rejectedReplies = 0
        /// Exchanges that train without the secrets in them.
        package var withSecrets = 0

        /// Nothing.
        package init() {}
    }

    /// Numbers of what is trained and measured.
    package struct RowCounts: Sendable, Equatable {
        /// Scored tokens of the training rows, and all.
        package var scoredTokens, totalTokens: Int
        /// The person's exchanges, paraphrases of them, and general texts.
        package var exchanges, paraphrases, general: Int
        /// Exchanges held out, and those of them that are measured.
        package var heldOut, measured: Int
    }
}
