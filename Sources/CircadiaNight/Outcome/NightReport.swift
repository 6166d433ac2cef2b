import CircadiaTraining
import Foundation

/// An outcome as `sleep --json`, `run-cycle --json` and the diary have it: flat, with every key.
///
/// This is a file format: its keys are those of version 0.1.0.
package struct NightReport: Sendable, Codable {
    /// Whether the candidate was promoted.
    package var accepted: Bool
    /// Why, in one sentence.
    package var verdict: String
    /// The adapter's folder.
    package var adapter: String
    /// The night's number, and its version's where it was accepted.
    package var version: Int
    /// Mean loss over the last tenth of the steps, nats a token.
    package var trainLoss: Double
    /// Mean loss over the first tenth of the steps.
    package var trainLossFirst: Double
    /// Loss on the held-out conversations with the adapter in use before; nil where none are held out.
    @NullWhenNil package var heldoutLossBefore: Double?
    /// The same with the candidate.
    @NullWhenNil package var heldoutLossAfter: Double?
    /// How the candidate was judged; null without a gate.
    @NullWhenNil package var gate: GateReport?
    /// Scored tokens that were trained on, every pass counted.
    package var tokensTrained: Int
    /// Scored tokens in the training rows, each counted once.
    package var tokensScored: Int
    /// All tokens in the training rows.
    package var tokensTotal: Int
    /// Exchanges trained on, held out, and sent to the retrieval store as well.
    package var exchangesTrained: Int
    /// Of these, exchanges that the adapter had not learnt before, and older ones.
    package var exchangesNew, exchangesReplayed: Int
    /// Older exchanges that wait for another night.
    package var exchangesWaiting: Int
    /// Replies of the log that are never learnt: called bad, or corrected.
    package var repliesRejected: Int
    /// Replies trained on that count more: those that put a rejected one right, those called good.
    package var repliesCorrected, repliesGood: Int
    /// Exchanges that were only measured.
    package var exchangesHeldOut: Int
    /// Exchanges that the router sent to the store (they trained too).
    package var exchangesStored: Int
    /// Paraphrased pairs trained on.
    package var syntheticPairs: Int
    /// Paraphrases refused, by reason.
    package var syntheticRefused: [String: Int]
    /// Preferences that the person stated and that hold; nil in nights of before they were found.
    package var preferences: Int?
    /// Pairs that follow them, trained on, and those that are only measured.
    package var preferencePairs, preferencePairsHeldOut: Int?
    /// Questions to which the model could not be brought to answer as they want it.
    package var preferenceRefused: Int?
    /// General-purpose pairs mixed in.
    package var rehearsalPairs: Int
    /// Optimiser steps that were taken.
    package var steps: Int
    /// Steps behind the adapter's numbers: fewer than `steps` where an earlier evaluation was best.
    package var finalStep: Int
    /// Why training ended.
    package var end: TrainingEnd
    /// Times that numbers were not finite and the last good ones were restored.
    package var restorations: Int
    /// What was forecast before the first step.
    package var plan: TrainingPlan
    /// What `plan` forecast the time of: steps, evaluations between them, checkpoints. Of a night that
    /// went on, the time since then.
    package var trainingSeconds: Double
    /// The most memory that the process ever held.
    package var peakRssBytes: Int
    /// Wall time.
    package var seconds: Double
    /// The settings that were really used.
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
