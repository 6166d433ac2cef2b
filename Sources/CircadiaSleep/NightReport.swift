import CircadiaTraining
import Foundation

/// What a night did.
public struct NightReport: Sendable, Codable {
    /// Whether the candidate was promoted.
    public var accepted: Bool
    /// Why, in one sentence.
    public var verdict: String
    /// The adapter's folder.
    public var adapter: String
    /// The night's number, and its version's where it was accepted.
    public var version: Int
    /// Mean loss over the last tenth of the steps, nats a token.
    public var trainLoss: Double
    /// Mean loss over the first tenth of the steps.
    public var trainLossFirst: Double
    /// Loss on the held-out conversations with the adapter in use before; nil where none are held out.
    @NullWhenNil public var heldoutLossBefore: Double?
    /// The same with the candidate.
    @NullWhenNil public var heldoutLossAfter: Double?
    /// How the candidate was judged; null without a gate.
    @NullWhenNil public var gate: GateReport?
    /// Scored tokens that were trained on, every pass counted.
    public var tokensTrained: Int
    /// Scored tokens in the training rows, each counted once.
    public var tokensScored: Int
    /// All tokens in the training rows.
    public var tokensTotal: Int
    /// Exchanges trained on, held out, and sent to the retrieval store as well.
    public var exchangesTrained: Int
    /// Of these, exchanges that the adapter had not learnt before, and older ones.
    public var exchangesNew, exchangesReplayed: Int
    /// Older exchanges that wait for another night.
    public var exchangesWaiting: Int
    /// Replies of the log that are never learnt: called bad, or corrected.
    public var repliesRejected: Int
    /// Replies trained on that count more: those that put a rejected one right, those called good.
    public var repliesCorrected, repliesGood: Int
    /// Exchanges that were only measured.
    public var exchangesHeldOut: Int
    /// Exchanges that the router sent to the store (they trained too).
    public var exchangesStored: Int
    /// Paraphrased pairs trained on.
    public var syntheticPairs: Int
    /// Paraphrases refused, by reason.
    public var syntheticRefused: [String: Int]
    /// Preferences that the person stated and that hold; nil in nights of before they were found.
    public var preferences: Int?
    /// Pairs that follow them, trained on, and those that are only measured.
    public var preferencePairs, preferencePairsHeldOut: Int?
    /// Questions to which the model could not be brought to answer as they want it.
    public var preferenceRefused: Int?
    /// General-purpose pairs mixed in.
    public var rehearsalPairs: Int
    /// Optimiser steps that were taken.
    public var steps: Int
    /// Steps behind the adapter's numbers: fewer than `steps` where an earlier evaluation was best.
    public var finalStep: Int
    /// Why training ended.
    public var end: TrainingEnd
    /// Times that numbers were not finite and the last good ones were restored.
    public var restorations: Int
    /// What was forecast before the first step.
    public var plan: TrainingPlan
    /// What `plan` forecast the time of: steps, evaluations between them, checkpoints. Of a night that
    /// went on, the time since then.
    public var trainingSeconds: Double
    /// The most memory that the process ever held.
    public var peakRssBytes: Int
    /// Wall time.
    public var seconds: Double
    /// The settings that were really used.
    public var options: SleepOptions
    /// The version of the code.
    public var codeVersion: String
}
