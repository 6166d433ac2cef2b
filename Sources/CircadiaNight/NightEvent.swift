import CircadiaAdapters
import CircadiaAnalysis
import CircadiaFormats
import CircadiaTraining
import Foundation

/// An event of a night, for a front end to show.
package enum NightEvent: Sendable {
    /// An unfinished night is given up for this one; `started` is nil if its record cannot be read.
    case gaveUp(started: Date?)
    /// A night is resumed; `laterExchanges` exchanges that came after it began wait for the next
    /// one.
    case resumed(started: Date, laterExchanges: Int)
    /// The resumed night was begun by another version of the program.
    case begunByOtherVersion(String, current: String)
    /// A night had ended, but its process was killed before it cleaned up.
    case hadEnded(started: Date)
    /// The night continues from another adapter than the one in use.
    case originReplaced(AdapterOrigin.Replacement)
    /// The adapter in use differs in shape from what the options ask for, and keeps its shape.
    case keepsShape(kind: AdapterConfiguration.Kind, rank: Int, scale: Double, blocks: Int)
    /// Some exchanges of the log are not learnt.
    case leftOut(LeftOut)
    /// The number of good and of tried paraphrases so far.
    case paraphrases(good: Int, tried: Int)
    /// The number of good pairs for preferences and of questions asked so far.
    case preferences(good: Int, tried: Int)
    /// Stated preferences that hold, and the pairs made for them; `refused` questions gave no pair.
    case preferencePairs(stated: Int, training: Int, heldOut: Int, refused: Int)
    /// The rows to train and to measure.
    case rows(RowCounts)
    /// The number of exchanges that are new, that are rehearsed, and that wait for another night.
    case selected(new: Int, replayed: Int, waiting: Int)
    /// The number of replies with a mark. Corrected and good ones count double if `countsDouble` is
    /// true.
    case replies(rejected: Int, corrected: Int, good: Int, countsDouble: Bool)
    /// The plan of training. If the time is short, it has fewer steps than `wantedIterations`.
    case plan(TrainingPlan, wantedIterations: Int)
    /// A step or another event of training.
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

    /// The parts of a log that are not learnt, as numbers of exchanges or of replies.
    package struct LeftOut: Sendable, Equatable {
        /// Exchanges tagged `no-train`.
        package var tagged = 0
        /// Exchanges whose reply used a memory.
        package var recalled = 0
        /// Replies that were called bad or corrected.
        package var rejectedReplies = 0
        /// Exchanges that train without the secrets in them.
        package var withSecrets = 0

        /// Nothing left out.
        package init() {}
    }

    /// Numbers of what is trained and measured.
    package struct RowCounts: Sendable, Equatable {
        /// Scored tokens of the training rows, and all their tokens.
        package var scoredTokens, totalTokens: Int
        /// The person's exchanges, paraphrases of them, and general texts.
        package var exchanges, paraphrases, general: Int
        /// Exchanges held out, and those of them that are measured.
        package var heldOut, measured: Int
    }
}
