import CircadiaEvaluation
import CircadiaNight
import Foundation

/// The content of a report: figures and texts, without layout.
package struct MorningReport: Sendable, Encodable {
    /// The part of a redacted exchange that a report quotes.
    package struct Excerpt: Sendable, Encodable, Equatable {
        /// The beginning of the question; nil if the log no longer has it.
        package var text: String?
        /// The time of the exchange.
        package var timestamp: Date?
        /// Why it is listed.
        package var reasons: [String]
    }

    /// A count with its name.
    package struct Count: Sendable, Encodable, Equatable {
        /// What was counted, in words.
        package var name: String
        /// The number of exchanges.
        package var count: Int
    }

    /// The section about what was learnt.
    package struct Learnt: Sendable, Encodable {
        /// Exchanges that were trained, and held-out ones that were measured.
        package var exchanges, heldOut: Int
        /// Of the trained ones, those that were new and those that were replayed.
        package var new, replayed: Int
        /// Replies of the log that are never learnt; replies that correct one; replies called good.
        package var rejected, corrected, good: Int
        /// Scored tokens trained on, every pass counted.
        package var tokens: Int
        /// The optimiser step that the adapter comes from.
        package var steps: Int
        /// Paraphrases and general texts that were trained too.
        package var paraphrases, generalPairs: Int
        /// Stated preferences that hold, and pairs that follow them.
        package var preferences, preferencePairs: Int
        /// The latest exchanges that were learnt.
        package var latest: [Excerpt]
    }

    /// The section about the retrieval store.
    package struct Stored: Sendable, Encodable {
        /// Exchanges that the router sends to the store.
        package var exchanges: Int
        /// The number of exchanges for each reason; one exchange may have several.
        package var reasons: [Count]
        /// The latest of these exchanges.
        package var latest: [Excerpt]
    }

    /// The section about exchanges that were left out.
    package struct LeftOut: Sendable, Encodable {
        /// The number of exchanges for each reason.
        package var reasons: [Count]
        /// The latest of these exchanges.
        package var latest: [Excerpt]
    }

    /// A question of the person with two answers.
    package struct Answer: Sendable, Encodable, Equatable {
        /// The question.
        package var question: String
        /// The answers with the adapter before the night and with the night's candidate.
        package var before, after: String
    }

    /// The harness results before and after.
    package struct Harness: Sendable, Encodable {
        /// One category, or all.
        package struct Row: Sendable, Encodable, Equatable {
            /// Its name.
            package var name: String
            /// Tasks passed before and after, with 95% Wilson intervals.
            package var before, after: HarnessScore
        }

        /// What “before” means, in words.
        package var baseline: String
        /// By category, then all together.
        package var rows: [Row]
        /// Two-sided p-value of McNemar's exact test; nil if the runs were not paired.
        package var pValue: Double?
    }

    /// The time and memory of the night.
    package struct Cost: Sendable, Encodable {
        /// Seconds of wall time, of training and of judging.
        package var seconds, trainingSeconds, judgingSeconds: Double?
        /// The peak resident memory of the process, in bytes.
        package var peakBytes: Int?
        /// The forecast seconds of training.
        package var forecastSeconds: Double?
        /// The forecast peak memory, in bytes.
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
        /// The verdict in one sentence.
        package var verdict: String
        /// The number of trained exchanges.
        package var exchanges: Int?
        /// Loss on that night's held-out conversations before and after it, nats a token.
        package var heldoutLossBefore, heldoutLossAfter: Double?
        /// Wall time in seconds.
        package var seconds: Double?
    }

    /// The night's number.
    package var version: Int
    /// When it began.
    package var started: Date?
    /// Whether its adapter was promoted.
    package var accepted: Bool
    /// The verdict in one sentence.
    package var verdict: String
    /// The adapter's folder.
    package var adapter: String
    /// The model and the version of the program, if the night recorded them.
    var model, codeVersion: String?
    /// Loss on the held-out conversations before and after the night, nats a token.
    package var heldoutLossBefore, heldoutLossAfter: Double?
    /// What was learnt. Nil for nights without a diary, as are the next two.
    package var learnt: Learnt?
    /// What went to the retrieval store, and why.
    package var stored: Stored?
    /// The section about exchanges that were left out.
    package var leftOut: LeftOut?
    /// Mean loss of the batches and of the held-out conversations, step by step.
    package var trainingLoss, heldOutLoss: [NightDiary.Point]
    /// Questions of the person with answers before and after.
    package var answers: [Answer]
    /// The harness results; nil if they were not measured.
    package var harness: Harness?
    /// The time and memory of the night.
    package var cost: Cost
    /// Every night, the latest first, at most `mostNights`.
    package var history: [Night]
    /// The number of all nights.
    package var nightCount: Int
    /// Sentences about what the report cannot show, and why.
    package var remarks: [String]

    /// The most nights that a report lists.
    package static let mostNights = 60
    /// The most exchanges that a list quotes.
    static let mostExcerpts = 12
}
