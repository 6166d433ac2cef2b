import CircadiaTraining
import Foundation

/// An outcome as the JSON output and the diary have it: flat, with every key.
///
/// This is a file format: its keys are those of version 0.1.0.
package struct NightReport: Sendable, Codable {
    /// Whether the candidate was promoted.
    package var accepted: Bool
    /// The verdict in one sentence.
    package var verdict: String
    /// The adapter's folder.
    package var adapter: String
    /// The night's number. If it was accepted, its version has the same number.
    package var version: Int
    /// Mean loss over the last tenth of the steps, nats a token.
    package var trainLoss: Double
    /// Mean loss over the first tenth of the steps, nats a token.
    package var trainLossFirst: Double
    /// Loss on the held-out conversations with the adapter before the night, nats a token; nil if
    /// there are none. On disk the key is `heldoutLossBefore`.
    @NullWhenNil package var heldoutLossBefore: Double?
    /// The loss with the candidate, nats a token. On disk the key is `heldoutLossAfter`.
    @NullWhenNil package var heldoutLossAfter: Double?
    /// The gate's figures; null if no gate judged.
    @NullWhenNil package var gate: GateReport?
    /// Scored tokens that were trained on, every pass counted.
    package var tokensTrained: Int
    /// Scored tokens in the training rows, each counted once.
    package var tokensScored: Int
    /// All tokens in the training rows.
    package var tokensTotal: Int
    /// Exchanges trained on.
    package var exchangesTrained: Int
    /// Of these, exchanges that the adapter had not learnt before, and older ones that were
    /// replayed.
    package var exchangesNew, exchangesReplayed: Int
    /// Older exchanges that wait for another night.
    package var exchangesWaiting: Int
    /// Replies of the log that are never learnt, because they were called bad or corrected.
    package var repliesRejected: Int
    /// Trained replies that count double: those that correct a rejected reply, and those called
    /// good.
    package var repliesCorrected, repliesGood: Int
    /// Held-out exchanges, which are only measured.
    package var exchangesHeldOut: Int
    /// Exchanges that the router sent to the store; they train as well.
    package var exchangesStored: Int
    /// Paraphrased pairs trained on.
    package var syntheticPairs: Int
    /// Paraphrases refused, by reason.
    package var syntheticRefused: [String: Int]
    /// Stated preferences that hold; nil for nights before preferences were found.
    package var preferences: Int?
    /// Pairs that follow them: those trained on, and those only measured.
    package var preferencePairs, preferencePairsHeldOut: Int?
    /// Questions to which the model gave no answer that follows the preferences.
    package var preferenceRefused: Int?
    /// General texts mixed in.
    package var rehearsalPairs: Int
    /// Optimiser steps that were taken.
    package var steps: Int
    /// The step that the adapter comes from: earlier than `steps` if an earlier evaluation was
    /// best.
    package var finalStep: Int
    /// Why training ended.
    package var end: TrainingEnd
    /// The number of times that a loss or gradient was not finite and the last good state was
    /// restored.
    package var restorations: Int
    /// The forecast made before the first step.
    package var plan: TrainingPlan
    /// Seconds of what `plan` forecasts: steps, the evaluations between them, and checkpoints. For
    /// a resumed night, the seconds since it was resumed.
    package var trainingSeconds: Double
    /// The peak resident memory of the process, in bytes.
    package var peakRssBytes: Int
    /// Wall time in seconds.
    package var seconds: Double
    /// The settings that were used.
    package var options: SleepOptions
    /// The version of the code.
    package var codeVersion: String
}

extension NightReport {
    /// The report of an outcome.
    package init(_ outcome: NightOutcome) {
        let (night, selection, rows) = (outcome.night, outcome.selection, outcome.rows)
        let (training, verdict) = (outcome.training, outcome.verdict)
        self.init(
            accepted: verdict.isAccepted, verdict: verdict.description, adapter: night.adapter,
            version: night.number, trainLoss: training.lossLast,
            trainLossFirst: training.lossFirst, heldoutLossBefore: verdict.heldOutLossBefore,
            heldoutLossAfter: verdict.heldOutLossAfter, gate: GateReport(verdict),
            tokensTrained: training.tokens, tokensScored: rows.scoredTokens,
            tokensTotal: rows.totalTokens, exchangesTrained: selection.trained,
            exchangesNew: selection.new, exchangesReplayed: selection.replayed,
            exchangesWaiting: selection.waiting, repliesRejected: selection.repliesRejected,
            repliesCorrected: selection.repliesCorrected, repliesGood: selection.repliesGood,
            exchangesHeldOut: selection.heldOut, exchangesStored: selection.stored,
            syntheticPairs: rows.paraphrases, syntheticRefused: rows.paraphrasesRefused,
            preferences: rows.preferences.stated, preferencePairs: rows.preferences.pairs,
            preferencePairsHeldOut: rows.preferences.pairsHeldOut,
            preferenceRefused: rows.preferences.refused, rehearsalPairs: rows.general,
            steps: training.steps, finalStep: training.finalStep, end: training.end,
            restorations: training.restorations, plan: outcome.plan,
            trainingSeconds: training.seconds, peakRssBytes: outcome.peakBytes,
            seconds: outcome.seconds, options: night.options, codeVersion: night.codeVersion)
    }
}
