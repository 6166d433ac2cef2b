import CircadiaEvaluation
import CircadiaFormats
import CircadiaMemory
import CircadiaModel
import CircadiaTokenizer
import CircadiaTraining
import Foundation

/// One night: the day's exchanges become a candidate adapter, which is judged and then promoted or
/// dropped.
///
/// Order: paraphrase (optional) → split → render → train → judge → promote. Retrieval is filled by
/// `NightStore` before, since it needs no model. Nothing on disk changes before promotion, which is one
/// atomic exchange of the adapter's folder.
public struct Night {
    /// What a caller can show while the night goes on.
    public enum Event: Sendable {
        /// A sentence about what comes next or what was found.
        case note(String)
        /// A step, or what else happened in training.
        case training(TrainingProgress)
        /// Good and tried paraphrases so far.
        case paraphrases(good: Int, tried: Int)
    }

    let model: LlamaModel
    let modelName: String
    let tokenizer: BPETokenizer
    let template: ChatTemplate
    let adapterDirectory: URL
    let options: SleepOptions

    /// A night for `model`, whose adapter lives in `adapterDirectory`.
    ///
    /// - `template`: with a pinned date.
    public init(
        model: LlamaModel, modelName: String, tokenizer: BPETokenizer, template: ChatTemplate,
        adapterDirectory: URL, options: SleepOptions
    ) {
        self.model = model
        self.modelName = modelName
        self.tokenizer = tokenizer
        self.template = template
        self.adapterDirectory = adapterDirectory
        self.options = options
    }

    /// Sleeps over `exchanges`, with `rehearsal` pairs mixed in.
    ///
    /// Throws `SleepError` where there is nothing to learn or training breaks off, `ModelError` or
    /// `FormatError` where the present adapter does not fit or the new one cannot be written.
    /// `isCancelled` is asked between steps; a cancelled night throws and leaves everything as it was.
    public func sleep(
        over exchanges: [Exchange], rehearsal: [Exchange], logPath: String,
        isCancelled: @escaping () -> Bool = { false }, report: @escaping (Event) -> Void
    ) throws -> NightReport {
        let start = Date()
        let present =
            AdapterDirectory.isPresent(at: adapterDirectory)
            ? try LoRAAdapter.load(from: adapterDirectory, for: model.configuration) : nil
        let replayable = exchanges.filter { Router.decide($0).trains }
        let split = HeldOutSplit(replayable, share: options.heldOutShare)

        model.adapter = nil
        let paraphrased = try paraphrases(
            of: split.training, isCancelled: isCancelled, report: report)
        let general = Self.sample(
            rehearsal,
            count: Int((Double(split.training.count) * options.rehearsalShare).rounded()),
            seed: options.seed)
        let dataset = NightDataset(
            training: split.training + paraphrased.exchanges, general: general,
            generalKeepsBase: options.divergenceWeight != nil, heldOut: split.heldOut,
            template: template, maxSequenceLength: options.maxSequenceLength)
        guard
            !NightDataset.rows(
                split.training, template: template, limit: options.maxSequenceLength
            ).isEmpty
        else {
            throw SleepError.nothingToLearn(path: logPath, exchanges: exchanges.count)
        }
        report(
            .note(
                "training on \(dataset.scoredTokens) of \(dataset.totalTokens) tokens: "
                    + "\(split.training.count) exchanges, \(paraphrased.exchanges.count) paraphrases, "
                    + "\(general.count) general pairs; \(split.heldOut.count) exchanges held out"))

        model.adapter = present
        let before = heldOutLoss(of: dataset)
        let trainer = try LoRATrainer(
            model: model, options: trainingOptions,
            initial: options.resetAdapter ? nil : present)
        noteAdapter(trainer.adapter, isPresent: present != nil, report: report)
        let rows =
            options.matchesMLX
            ? dataset.training.map {
                $0.asInMLX(maxSequenceLength: options.maxSequenceLength)
            } : dataset.training
        let training = try trainer.train(rows: rows) { progress in
            report(.training(progress))
            return !isCancelled()
        }
        if training.end == .cancelled {
            model.adapter = present
            throw SleepError.trainingFailed(
                step: training.steps.count, reason: "it was interrupted")
        }
        model.adapter = trainer.adapter
        let after = heldOutLoss(of: dataset)
        let (accepted, verdict) = judge(before: before, after: after)
        if accepted {
            try trainer.adapter.save(to: adapterDirectory)
            report(.note("adapter written to \(adapterDirectory.relativePath)"))
        } else {
            model.adapter = present
        }
        let tenth = max(1, training.steps.count / 10)
        return NightReport(
            accepted: accepted, verdict: verdict, adapter: adapterDirectory.relativePath,
            trainLoss: Self.meanLoss(training.steps.suffix(tenth)),
            trainLossFirst: Self.meanLoss(training.steps.prefix(tenth)),
            heldoutLossBefore: before, heldoutLossAfter: after,
            tokensTrained: training.scoredTokensTrained, tokensScored: dataset.scoredTokens,
            tokensTotal: dataset.totalTokens, exchangesTrained: split.training.count,
            exchangesHeldOut: split.heldOut.count,
            exchangesStored: exchanges.filter { Router.decide($0).destination == .store }.count,
            syntheticPairs: paraphrased.exchanges.count,
            syntheticRefused: Dictionary(
                uniqueKeysWithValues: paraphrased.refused.map { ($0.key.rawValue, $0.value) }),
            rehearsalPairs: general.count, steps: training.steps.count,
            seconds: Date().timeIntervalSince(start), options: options,
            codeVersion: CodeVersion.current)
    }

    /// Says so where the present adapter, which goes on, is not what the options ask for.
    private func noteAdapter(
        _ adapter: LoRAAdapter, isPresent: Bool, report: (Event) -> Void
    ) {
        guard isPresent, !options.resetAdapter else { return }
        let wanted = trainingOptions.adapterConfiguration
        let found = adapter.configuration
        let layers = model.configuration.layerCount
        let isSame =
            found.kind == wanted.kind
            && found.loraParameters.rank == wanted.loraParameters.rank
            && found.loraParameters.scale == wanted.loraParameters.scale
            && (found.loraParameters.keys ?? AdapterTensorName.modules)
                == (wanted.loraParameters.keys ?? AdapterTensorName.modules)
            && found.adaptedLayers(of: layers) == wanted.adaptedLayers(of: layers)
        if isSame { return }
        report(
            .note(
                "going on with the present adapter (\(found.kind.rawValue), rank "
                    + "\(found.loraParameters.rank), scale \(found.loraParameters.scale), "
                    + "\(adapter.adaptedLayers.count) blocks), which is not what the flags ask "
                    + "for; --reset-adapter makes one that is"))
    }

    private var trainingOptions: TrainingOptions {
        var training = TrainingOptions()
        training.iterations = options.iterations
        training.learningRate = options.learningRate
        training.batchSize = options.batchSize
        training.rank = options.loraRank
        training.scale = Double(options.loraScale)
        training.layers = options.loraLayers
        training.keys = options.loraKeys
        training.kind = options.usesDoRA ? .dora : .lora
        training.maxSequenceLength = options.maxSequenceLength
        training.warmupSteps = options.warmupSteps
        training.clipNorm = Double(options.clipNorm)
        training.divergenceWeight = options.divergenceWeight ?? 0
        training.seed = options.seed
        if options.matchesMLX { training.matchMLX() }
        return training
    }

    private func paraphrases(
        of exchanges: [Exchange], isCancelled: @escaping () -> Bool,
        report: @escaping (Event) -> Void
    ) throws -> Paraphraser.Outcome {
        guard options.augmentedPairs > 0 else { return Paraphraser.Outcome() }
        let paraphraser = Paraphraser(
            model: model, tokenizer: tokenizer, template: template, seed: options.seed)
        return try paraphraser.paraphrases(
            of: exchanges, limit: options.augmentedPairs, isCancelled: isCancelled
        ) { report(.paraphrases(good: $0, tried: $1)) }
    }

    private static func meanLoss(_ steps: some Collection<StepReport>) -> Double {
        let tokens = steps.reduce(0) { $0 + $1.scoredTokens }
        return steps.reduce(0) { $0 + $1.loss * Double($1.scoredTokens) } / Double(max(1, tokens))
    }

    /// `count` of `exchanges`, drawn by the seed.
    static func sample(_ exchanges: [Exchange], count: Int, seed: UInt64) -> [Exchange] {
        let order = exchanges.sorted {
            StableHash.of("\(seed)/\($0.id)") < StableHash.of("\(seed)/\($1.id)")
        }
        return Array(order.prefix(count))
    }

    /// Loss of the held-out rows under the model's present adapter, nats a token.
    private func heldOutLoss(of dataset: NightDataset) -> Double? {
        var nats = 0.0
        var tokens = 0
        for row in dataset.heldOut {
            let loss = model.loss(of: row.ids, scored: row.scored)
            nats += loss.nats
            tokens += loss.tokens
        }
        return tokens > 0 ? nats / Double(tokens) : nil
    }

    /// Whether a night with these held-out losses may be promoted, and why.
    func judge(before: Double?, after: Double?) -> (accepted: Bool, verdict: String) {
        guard let before, let after else {
            return (true, "promoted: the log is too short to hold anything out")
        }
        guard after.isFinite else { return (false, "rejected: the held-out loss is not finite") }
        let change = String(format: "%.3f → %.3f", before, after)
        guard let tolerance = options.gateTolerance else {
            return (true, "promoted without a gate: held-out loss \(change)")
        }
        return after <= before * tolerance
            ? (true, "promoted: held-out loss \(change)")
            : (false, "rejected: held-out loss rose, \(change); yesterday's adapter stays")
    }
}
