import CircadiaEvaluation
import Foundation

/// What a person is told in the morning: figures and texts, no layout.
public struct MorningReport: Sendable, Encodable {
    /// An exchange of the log, as far as a report quotes it; without secrets.
    public struct Excerpt: Sendable, Encodable, Equatable {
        /// The beginning of what was asked; nil where the log no longer has it.
        public var text: String?
        /// When it was said.
        public var timestamp: Date?
        /// Why it is listed.
        public var reasons: [String]
    }

    /// Something that was counted.
    public struct Count: Sendable, Encodable, Equatable {
        /// What it is, in words.
        public var name: String
        /// Exchanges.
        public var count: Int
    }

    /// What was learnt.
    public struct Learnt: Sendable, Encodable {
        /// Exchanges trained on, and those only measured.
        public var exchanges, heldOut: Int
        /// Of the former, those that were new, and older ones.
        public var new, replayed: Int
        /// Replies of the log that are never learnt; replies that put one right or were called good.
        public var rejected, corrected, good: Int
        /// Scored tokens trained on, every pass counted.
        public var tokens: Int
        /// Optimiser steps behind the numbers.
        public var steps: Int
        /// Paraphrases and general texts beside the exchanges.
        public var paraphrases, generalPairs: Int
        /// Preferences that were stated and hold, and pairs that follow them.
        public var preferences, preferencePairs: Int
        /// The latest exchanges that were learnt.
        public var latest: [Excerpt]
    }

    /// What went to the retrieval store, and why.
    public struct Stored: Sendable, Encodable {
        /// Exchanges that the router sends there.
        public var exchanges: Int
        /// How many for which reason; one exchange may have several.
        public var reasons: [Count]
        /// The latest of them.
        public var latest: [Excerpt]
    }

    /// What was left out.
    public struct LeftOut: Sendable, Encodable {
        /// How many for which reason.
        public var reasons: [Count]
        /// The latest of them.
        public var latest: [Excerpt]
    }

    /// A question of the person's with what was answered.
    public struct Answer: Sendable, Encodable, Equatable {
        /// The question.
        public var question: String
        /// With the adapter of the evening, and with the night's candidate.
        public var before, after: String
    }

    /// The harness.
    public struct Harness: Sendable, Encodable {
        /// One category, or all.
        public struct Row: Sendable, Encodable, Equatable {
            /// Its name.
            public var name: String
            /// Tasks passed before and after, with 95% Wilson intervals.
            public var before, after: HarnessScore
        }

        /// What “before” is, in words.
        public var baseline: String
        /// By category, then all together.
        public var rows: [Row]
        /// Two-sided p of McNemar's exact test; nil where runs were not paired.
        public var pValue: Double?
    }

    /// What the night took.
    public struct Cost: Sendable, Encodable {
        /// Wall time, and that of training and of judging.
        public var seconds, trainingSeconds, judgingSeconds: Double?
        /// The most memory that the process held.
        public var peakBytes: Int?
        /// What had been forecast of training.
        public var forecastSeconds: Double?
        /// The memory that had been forecast.
        public var forecastBytes: Int?
    }

    /// A night of the history.
    public struct Night: Sendable, Encodable, Equatable {
        /// Its number.
        public var version: Int
        /// When it began.
        public var started: Date?
        /// Whether its adapter was promoted, and whether it is in use now.
        public var accepted, isInUse: Bool
        /// Why.
        public var verdict: String
        /// Exchanges that were trained on.
        public var exchanges: Int?
        /// Loss on the conversations that were held out then, nats a token.
        public var heldoutLossBefore, heldoutLossAfter: Double?
        /// Wall time.
        public var seconds: Double?
    }

    /// The night's number.
    public var version: Int
    /// When it began.
    public var started: Date?
    /// Whether its adapter was promoted.
    public var accepted: Bool
    /// Why.
    public var verdict: String
    /// The adapter's folder, the model, and the program's version.
    public var adapter: String
    public var model, codeVersion: String?
    /// Loss on the held-out conversations, nats a token.
    public var heldoutLossBefore, heldoutLossAfter: Double?
    /// What was learnt; nil, as the next two, of nights without a diary.
    public var learnt: Learnt?
    /// What went to the store.
    public var stored: Stored?
    /// What was left out.
    public var leftOut: LeftOut?
    /// Mean loss of the batches and of the held-out conversations, step by step.
    public var trainingLoss, heldOutLoss: [NightDiary.Point]
    /// Questions of the person's, before and after.
    public var answers: [Answer]
    /// Nil where it was not measured.
    public var harness: Harness?
    /// What the night took.
    public var cost: Cost
    /// Every night, the latest first, at most `mostNights`.
    public var history: [Night]
    /// Nights in all.
    public var nightCount: Int
    /// What cannot be told, and why; a sentence each.
    public var remarks: [String]

    /// Nights that a report lists at most.
    public static let mostNights = 60
    /// Exchanges that a list quotes at most.
    static let mostExcerpts = 12
}
