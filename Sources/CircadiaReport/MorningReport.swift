import CircadiaEvaluation
import CircadiaNight
import Foundation

/// What a person is told in the morning: figures and texts, no layout.
package struct MorningReport: Sendable, Encodable {
    /// An exchange of the log, as far as a report quotes it; without secrets.
    package struct Excerpt: Sendable, Encodable, Equatable {
        /// The beginning of what was asked; nil where the log no longer has it.
        package var text: String?
        /// When it was said.
        package var timestamp: Date?
        /// Why it is listed.
        package var reasons: [String]
    }

    /// Something that was counted.
    package struct Count: Sendable, Encodable, Equatable {
        /// What it is, in words.
        package var name: String
        /// Exchanges.
        package var count: Int
    }

    /// What was learnt.
    package struct Learnt: Sendable, Encodable {
        /// Exchanges trained on, and those only measured.
        package var exchanges, heldOut: Int
        /// Of the former, those that were new, and older ones.
        package var new, replayed: Int
        /// Replies of the log that are never learnt; replies that put one right or were called good.
        package var rejected, corrected, good: Int
        /// Scored tokens trained on, every pass counted.
        package var tokens: Int
        /// Optimiser steps behind the numbers.
        package var steps: Int
        /// Paraphrases and general texts beside the exchanges.
        package var paraphrases, generalPairs: Int
        /// Preferences that were stated and hold, and pairs that follow them.
        package var preferences, preferencePairs: Int
        /// The latest exchanges that were learnt.
        package var latest: [Excerpt]
    }

    /// What went to the retrieval store, and why.
    package struct Stored: Sendable, Encodable {
        /// Exchanges that the router sends there.
        package var exchanges: Int
        /// How many for which reason; one exchange may have several.
        package var reasons: [Count]
        /// The latest of them.
        package var latest: [Excerpt]
    }

    /// What was left out.
    package struct LeftOut: Sendable, Encodable {
        /// How many for which reason.
        package var reasons: [Count]
        /// The latest of them.
        package var latest: [Excerpt]
    }

    /// A question of the person's with what was answered.
    package struct Answer: Sendable, Encodable, Equatable {
        /// The question.
        package var question: String
        /// With the adapter of the evening, and with the night's candidate.
        package var before, after: String
    }

    /// The harness.
    package struct Harness: Sendable, Encodable {
        /// One category, or all.
        package struct Row: Sendable, Encodable, Equatable {
            /// Its name.
            package var name: String
            /// Tasks passed before and after, with 95% Wilson intervals.
            package var before, after: HarnessScore
        }

        /// What “before” is, in words.
        package var baseline: String
        /// By category, then all together.
        package var rows: [Row]
        /// Two-sided p of McNemar's exact test; nil where runs were not paired.
        package var pValue: Double?
    }

    /// What the night took.
    package struct Cost: Sendable, Encodable {
        /// Wall time, and that of training and of judging.
        package var seconds, trainingSeconds, judgingSeconds: Double?
        /// The most memory that the process held.
        package var peakBytes: Int?
        /// What had been forecast of training.
        package var forecastSeconds: Double?
        /// The memory that had been forecast.
        package var forecastBytes: Int?
    }

    /// A night of the history.
    package struct Night: Sendable, Encodable, Equatable {
        /// Its number.
        package var version: Int
        /// When it began.
        package var started: Date?
        /// Whether its adapter was promoted, and whether it is in use now.
        package var accepted, isInUse: Bool
        /// Why.
        package var verdict: String
        /// Exchanges that were trained on.
        package var exchanges: Int?
        /// Loss on the conversations that were held out then, nats a token.
        package var heldoutLossBefore, heldoutLossAfter: Double?
        /// Wall time.
        package var seconds: Double?
    }

    /// The night's number.
    package var version: Int
    /// When it began.
    package var started: Date?
    /// Whether its adapter was promoted.
    package var accepted: Bool
    /// Why.
    package var verdict: String
    /// The adapter's folder, the model, and the program's version.
    package var adapter: String
    var model, codeVersion: String?
    /// Loss on the held-out conversations, nats a token.
    package var heldoutLossBefore, heldoutLossAfter: Double?
    /// What was learnt; nil, as the next two, of nights without a diary.
    package var learnt: Learnt?
    /// What went to the store.
    package var stored: Stored?
    /// What was left out.
    package var leftOut: LeftOut?
    /// Mean loss of the batches and of the held-out conversations, step by step.
    package var trainingLoss, heldOutLoss: [NightDiary.Point]
    /// Questions of the person's, before and after.
    package var answers: [Answer]
    /// Nil where it was not measured.
    package var harness: Harness?
    /// What the night took.
    package var cost: Cost
    /// Every night, the latest first, at most `mostNights`.
    package var history: [Night]
    /// Nights in all.
    package var nightCount: Int
    /// What cannot be told, and why; a sentence each.
    package var remarks: [String]

    /// Nights that a report lists at most.
    package static let mostNights = 60
    /// Exchanges that a list quotes at most.
    static let mostExcerpts = 12
}
