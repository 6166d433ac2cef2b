import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaKernels
import CircadiaTraining
import Foundation

/// A night that has begun, as it is kept on disk until it ends: enough to go on with it after any
/// end, whatever happened to the log meanwhile.
///
/// `prepared` is nil while the model still writes paraphrases; from the first step on, the rows are
/// frozen in it.
struct NightRecord: Codable {
    /// What training works on, and what the report says of it.
    struct Prepared: Codable {
        var training: [TrainingRow]
        var heldOut: [TrainingRow]
        /// The held-out conversations word for word, where preferences make a difference; nil elsewhere.
        var heldOutAsSaid: [TrainingRow]?
        var trainingOptions: TrainingOptions
        var plan: TrainingPlan
        var heldoutLossBefore: Double?
        var scoredTokens: Int
        var totalTokens: Int
        /// What the adapter's manifest will say of the rows.
        var trainedHashes: [ContentHash]
        /// The same of the exchanges that are only measured.
        var heldOutHashes: [ContentHash]
        var exchangesTrained: Int
        var exchangesHeldOut: Int
        var exchangesStored: Int
        var syntheticPairs: Int
        var syntheticRefused: [String: Int]
        var preferences: Int?
        /// How answers begin that follow them; nil where there are none.
        var preferenceOpening: String?
        var preferencePairs, preferencePairsHeldOut: Int?
        var preferenceRefused: Int?
        var rehearsalPairs: Int
        /// What the ledger will be told of: the hash by the exchange's id.
        var ledgerHashes: [String: ContentHash]
        /// Those among them that had been learnt before.
        var replayedHashes: [ContentHash]
        /// Exchanges for the first time and once more, older ones that wait for another night.
        var exchangesNew, exchangesReplayed, exchangesWaiting: Int
        /// Replies of the log that are never learnt; replies tonight that put one right, or were called
        /// good.
        var repliesRejected, repliesCorrected, repliesGood: Int
        /// Ids of exchanges in which nothing can be learnt: the ledger need not wait for them.
        var withoutRow: [String]

        /// Rows of the person's own exchanges, those held out first. Beside preferences `heldOut` may have
        /// pairs, which are none.
        var ownRows: [TrainingRow] {
            ((preferences ?? 0) > 0 ? heldOutAsSaid ?? [] : heldOut)
                + training.filter { ledgerHashes[$0.id] != nil }
        }

        /// The exchanges that a training of these rows has learnt.
        func learnt(_ training: TrainingReport) -> [ContentHash] {
            ledgerHashes.compactMap { id, hash in
                let isLearnt = RowID.ownRows(of: id).contains {
                    training.idsTrained.contains($0.description)
                }
                return isLearnt || withoutRow.contains(id) ? hash : nil
            }
        }
    }

    /// Changes with the meaning of any member.
    static let currentVersion = 5

    var version = Self.currentVersion
    /// The night's number.
    var number: Int
    var started: Date
    var options: SleepOptions
    var model: String
    var modelFingerprint: String
    var isa: String
    var codeVersion: String
    /// The adapter that the night went on from (`AdapterOrigin.name`); nil for the base model.
    var origin: String?
    /// Ids of the log's exchanges, in order.
    var exchanges: [String]
    /// Their content hashes.
    var exchangeHashes: [ContentHash]
    var prepared: Prepared?
    /// Of a night that was accepted: what it reports. It is over once its version is there.
    var accepted: NightReport?

    init(
        number: Int, options: SleepOptions, model: String, modelFingerprint: String,
        origin: String?, exchanges: [CleanExchange]
    ) {
        self.number = number
        started = Date()
        self.options = options
        self.model = model
        self.modelFingerprint = modelFingerprint
        isa = KernelRuntime.isa
        codeVersion = CodeVersion.current
        self.origin = origin
        self.exchanges = exchanges.map(\.id)
        exchangeHashes = exchanges.map(\.hashAsSaid)
    }

    /// The exchanges of the night among those of the log today; what came since is left out.
    ///
    /// - Throws: `SleepError.nightChanged` where some have gone, read differently or were barred
    ///   since: a person who forgets something or tags it does not want it trained on.
    func exchanges(in log: [CleanExchange]) throws(SleepError) -> [CleanExchange] {
        let present = Dictionary(log.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let found = zip(exchanges, exchangeHashes).compactMap { id, hash in
            present[id].flatMap { $0.hashAsSaid == hash ? $0 : nil }
        }
        let missing = exchanges.count - found.count
        guard missing == 0 else {
            throw .nightChanged([
                "\(missing) of its \(exchanges.count) exchanges are no longer in the log, or differ; "
                    + "what was forgotten is not trained"
            ])
        }
        let frozen = Set(prepared?.trainedHashes ?? [])
        let barred = found.count {
            !$0.routing.bars.isEmpty && frozen.contains($0.hash)
        }
        guard barred == 0 else {
            throw .nightChanged(["\(barred) of its exchanges are tagged since not to be trained"])
        }
        return found
    }

    /// What would make the rest of the night another one.
    func differences(
        options now: SleepOptions, modelFingerprint: String
    ) -> [String] {
        var differences = options.differences(from: now)
        if modelFingerprint != self.modelFingerprint {
            differences.append("the model was \(model), or had other weights")
        }
        if isa != KernelRuntime.isa {
            differences.append("it ran on \(isa) instructions, this is \(KernelRuntime.isa)")
        }
        return differences
    }
}

extension SleepOptions {
    /// One sentence for each option that decides what is trained and that `now` has otherwise.
    func differences(from now: SleepOptions) -> [String] {
        Self.flags.compactMap { flag, value in
            let (then, present) = (value(self), value(now))
            return then == present ? nil : "\(flag) was \(then), now it is \(present)"
        }
    }

    /// The flags with their values.
    var recipe: [String: String] {
        Dictionary(uniqueKeysWithValues: Self.flags.map { ($0.0, $0.1(self)) })
    }

    private static let flags: [(String, @Sendable (SleepOptions) -> String)] = [
        ("--iters", { $0.iterations.map { "\($0)" } ?? "not given" }),
        ("--epochs", { $0.epochs.map { "\($0)" } ?? "not given" }),
        ("--learning-rate", { "\($0.learningRate)" }),
        ("--batch-size", { "\($0.batchSize)" }),
        ("--grad-accumulation", { "\($0.gradientAccumulation)" }),
        ("--schedule", { $0.schedule.rawValue }),
        ("--optimizer", { $0.optimizer.rawValue }),
        ("--weight-decay", { "\($0.weightDecay)" }),
        ("--no-bias-correction", { $0.usesBiasCorrection ? "off" : "on" }),
        ("--clip", { "\($0.clipNorm)" }),
        ("--dropout", { "\($0.dropout)" }),
        ("--eval-every", { "\($0.evaluationInterval)" }),
        ("--patience", { "\($0.patience)" }),
        ("--memory-limit", { $0.memoryLimit.map { "\($0) bytes" } ?? "not given" }),
        ("--lora-r", { "\($0.loraRank)" }),
        ("--lora-scale", { "\($0.loraScale)" }),
        ("--lora-layers", { "\($0.loraLayers)" }),
        ("--lora-keys", { $0.loraKeys?.joined(separator: ",") ?? "all" }),
        ("--dora", { $0.usesDoRA ? "on" : "off" }),
        ("--mlx-compat", { $0.matchesMLX ? "on" : "off" }),
        ("--max-seq-len", { "\($0.maxSequenceLength)" }),
        ("--warmup", { "\($0.warmupSteps)" }),
        ("--reset-adapter", { $0.resetAdapter ? "on" : "off" }),
        ("--augment", { $0.augmentedPairs > 0 ? "\($0.augmentedPairs)" : "off" }),
        ("--preference-pairs", { "\($0.preferencePairs ?? 0)" }),
        ("--rehearsal", { "\($0.rehearsalShare)" }),
        ("--replay-share", { $0.replayShare.map { "\($0)" } ?? "not given" }),
        ("--kl-weight", { "\($0.divergenceWeight ?? 0)" }),
        ("--held-out", { "\($0.heldOutShare)" }),
        ("--no-gate", { $0.gate == nil ? "on" : "off" }),
        ("--quick-gate", { $0.judgesHarm ? "off" : "on" }),
        ("--seed", { "\($0.seed)" }),
    ]
}
