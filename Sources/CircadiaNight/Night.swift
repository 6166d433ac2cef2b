import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaKernels
import CircadiaModel
import CircadiaTokenizer
import CircadiaTraining
import Foundation

/// One night: the day's exchanges become a candidate adapter, which is judged and then promoted or
/// dropped.
///
/// Order: split → select what is new and what is due → paraphrase (optional) → render → train → judge →
/// keep as a version → promote. Retrieval is filled by
/// `NightStore` before, since it needs no model. The adapter does not change before promotion, which is
/// one atomic exchange of its folder; until then the night is kept beside it (`UnfinishedNight`) and can
/// go on after any end.
package struct Night {
    /// What a caller can show while the night goes on.
    package enum Event: Sendable {
        /// A sentence about what comes next or what was found.
        case note(String)
        /// What training will do and take. Fewer steps than were wanted fit into the time.
        case plan(TrainingPlan, wantedIterations: Int)
        /// A step, or what else happened in training.
        case training(TrainingProgress)
        /// Good and tried paraphrases so far.
        case paraphrases(good: Int, tried: Int)
        /// Good pairs for preferences and questions asked so far.
        case preferences(good: Int, tried: Int)
    }

    /// The base model, which stages run with one adapter or another.
    let base: AdaptedModel
    let modelName: String
    let modelFingerprint: String
    let tokenizer: BPETokenizer
    let template: ChatTemplate
    let adapterDirectory: URL
    let options: SleepOptions
    let material: GateMaterial
    let questions: [PreferenceQuestion]
    let keptVersions: Int

    /// Versions that stay beside the one in use, unless a person wants otherwise.
    package static let usualVersions = 30

    /// The versions beside the adapter.
    var versions: AdapterVersions { AdapterVersions(beside: adapterDirectory) }

    /// A night for `model`, whose adapter lives in `adapterDirectory`.
    ///
    /// - `modelFingerprint`: tells the model's weights from others; a night goes on with the same only.
    /// - `template`: with a pinned date.
    /// - `material`: what the gate measures with, beside the held-out conversations.
    /// - `questions`: what the model is asked so that it answers as the person wants it.
    /// - `keptVersions`: versions that stay after an accepted night, the latest ones and those in use; 0
    ///   keeps all.
    package init(
        model: LlamaModel, modelName: String, modelFingerprint: String, tokenizer: BPETokenizer,
        template: ChatTemplate,
        adapterDirectory: URL, options: SleepOptions, material: GateMaterial = GateMaterial(),
        questions: [PreferenceQuestion] = [],
        keptVersions: Int = Night.usualVersions
    ) {
        base = AdaptedModel(model, adapter: nil)
        self.modelName = modelName
        self.modelFingerprint = modelFingerprint
        self.tokenizer = tokenizer
        self.template = template
        self.adapterDirectory = adapterDirectory
        self.options = options
        self.material = material
        self.questions = questions
        self.keptVersions = keptVersions
    }

    /// Sleeps over `exchanges`, with `rehearsal` pairs mixed in.
    ///
    /// - `resumes`: goes on with the night that was begun and did not end. Its exchanges are those
    ///   of then, and the adapter that comes of it is the very one that it would have ended with.
    /// - `onlyIfDue`: holds no night where no exchange is new and none is due for rehearsal.
    /// - `isCancelled`: asked between steps; a cancelled night throws `SleepError.interrupted`,
    ///   keeps all it has done and leaves everything else as it was.
    ///
    /// Throws `SleepError` where there is nothing to learn or to go on with or training breaks off,
    /// `ModelError` or `FormatError` where the present adapter does not fit or the new one cannot be
    /// written.
    package func sleep(
        over exchanges: [CleanExchange], rehearsal: [Exchange], logPath: String, resumes: Bool = false,
        onlyIfDue: Bool = false,
        isCancelled: @escaping () -> Bool = { false }, report: @escaping (Event) -> Void
    ) throws -> NightReport {
        let start = Date()
        let unfinished = UnfinishedNight(of: adapterDirectory)
        if let report = try complete(unfinished, resumes: resumes, report: report) {
            return report
        }
        let origin: AdapterOrigin
        let tonight: [CleanExchange]
        var record: NightRecord
        if resumes {
            record = try unfinished.record()
            tonight = try check(record, log: exchanges, report: report)
            origin = try AdapterOrigin(
                beside: adapterDirectory, wasNamed: record.origin, model: modelName)
        } else {
            try versions.adopt()
            origin = AdapterOrigin(
                of: adapterDirectory, model: modelName, log: options.resetAdapter ? [] : exchanges)
            if let text = origin.remark { report(.note(text)) }
            tonight = exchanges
            record = try begin(unfinished, exchanges: exchanges, origin: origin, report: report)
        }
        let present = try origin.directory.map {
            try LoRAAdapter.load(from: $0, for: base.configuration)
        }
        let chats = NightMaterial(tonight)
        let prepared: NightRecord.Prepared
        if let done = record.prepared {
            prepared = done
        } else {
            do {
                prepared = try prepare(
                    chats, number: record.number,
                    ledger: origin.ledger(isFresh: options.resetAdapter),
                    rehearsal: rehearsal, present: present, onlyIfDue: onlyIfDue,
                    logPath: logPath,
                    isCancelled: isCancelled, report: report)
            } catch {
                // What failed will fail again when it goes on; only an interrupted night is kept.
                if case .interrupted = error as? SleepError {} else { unfinished.discard() }
                throw error
            }
            record.prepared = prepared
            try unfinished.save(record)
        }
        let trainer = try LoRATrainer(
            model: base.weights, options: prepared.trainingOptions,
            initial: options.resetAdapter ? nil : present)
        noteAdapter(
            trainer.adapter, wanted: prepared.trainingOptions, isPresent: present != nil,
            report: report)
        let beginning = trainer.adapter.copy()
        let trainingStart = Date()
        var evaluations: [NightDiary.Point] = []
        let training = try train(
            trainer, prepared, unfinished: unfinished, isCancelled: isCancelled
        ) { event in
            if case .training(let progress) = event,
                case .evaluation(let step, let loss, _) = progress.event
            {
                evaluations.append(NightDiary.Point(step: step, loss: loss))
            }
            report(event)
        }
        let trainingEnd = Date()
        let judgement = try judge(
            from: beginning, to: trainer.adapter, prepared,
            isCancelled: isCancelled, report: report)
        let after = judgement.heldOutLoss
        let tenth = max(1, training.steps.count / 10)
        let result = NightReport(
            accepted: judgement.adapter != nil, verdict: judgement.verdict,
            adapter: adapterDirectory.relativePath,
            version: record.number,
            trainLoss: Self.meanLoss(training.steps.suffix(tenth)),
            trainLossFirst: Self.meanLoss(training.steps.prefix(tenth)),
            heldoutLossBefore: prepared.heldoutLossBefore, heldoutLossAfter: after,
            gate: judgement.gate,
            tokensTrained: training.scoredTokensTrained, tokensScored: prepared.scoredTokens,
            tokensTotal: prepared.totalTokens, exchangesTrained: prepared.exchangesTrained,
            exchangesNew: prepared.exchangesNew, exchangesReplayed: prepared.exchangesReplayed,
            exchangesWaiting: prepared.exchangesWaiting,
            repliesRejected: prepared.repliesRejected,
            repliesCorrected: prepared.repliesCorrected, repliesGood: prepared.repliesGood,
            exchangesHeldOut: prepared.exchangesHeldOut,
            exchangesStored: prepared.exchangesStored, syntheticPairs: prepared.syntheticPairs,
            syntheticRefused: prepared.syntheticRefused, preferences: prepared.preferences,
            preferencePairs: prepared.preferencePairs,
            preferencePairsHeldOut: prepared.preferencePairsHeldOut,
            preferenceRefused: prepared.preferenceRefused, rehearsalPairs: prepared.rehearsalPairs,
            steps: training.steps.count, finalStep: training.finalStep, end: training.end,
            restorations: training.restorations, plan: prepared.plan,
            trainingSeconds: trainingEnd.timeIntervalSince(trainingStart),
            peakRssBytes: ResidentMemory.peak,
            seconds: Date().timeIntervalSince(start),
            options: options, codeVersion: CodeVersion.current)
        let manifest = NightManifest(
            version: record.number, adapter: adapterDirectory.lastPathComponent,
            parent: options.resetAdapter ? nil : origin.version, record: record,
            prepared: prepared, report: result)
        keepDiary(
            result, record, prepared, training, evaluations: evaluations, material: chats,
            present: present, candidate: judgement.adapter ?? trainer.adapter,
            isCancelled: isCancelled, report: report)
        if let adapter = judgement.adapter {
            record.accepted = result
            try unfinished.save(record)
            versions.makeFolder()
            try adapter.save(
                to: versions.url(of: record.number),
                attachments: [
                    TrainingManifest.fileName: origin.manifest(
                        afterTrainingOn: prepared.trainedHashes,
                        learning: prepared.learnt(training), isFresh: options.resetAdapter
                    ).bytes,
                    NightManifest.fileName: try versions.bytes(of: manifest),
                ],
                origin: self.origin(
                    of: adapter, record, prepared, training, heldOutLoss: after))
            try promote(record.number, report: report)
        }
        try versions.log(manifest)
        unfinished.discard()
        if result.accepted { pruneVersions(report: report) }
        return result
    }

    /// Trains to the end, or throws `SleepError.interrupted` with everything kept.
    private func train(
        _ trainer: LoRATrainer, _ prepared: NightRecord.Prepared, unfinished: UnfinishedNight,
        isCancelled: @escaping () -> Bool, report: @escaping (Event) -> Void
    ) throws -> TrainingReport {
        let training: TrainingReport
        do throws(TrainingError) {
            training = try trainer.train(
                rows: prepared.training,
                heldOut: options.evaluationInterval > 0 ? prepared.heldOut : [],
                checkpoints: CheckpointOptions(
                    url: unfinished.stateURL, interval: options.checkpointInterval),
                resumes: unfinished.hasState
            ) { progress in
                report(.training(progress))
                return !isCancelled()
            }
        } catch {
            // It would diverge again.
            if case .diverged = error { unfinished.discard() }
            throw error
        }
        if training.end == .cancelled {
            throw SleepError.interrupted(
                step: training.steps.count, total: prepared.trainingOptions.iterations,
                folder: unfinished.url.relativePath)
        }
        return training
    }

    private static func meanLoss(_ steps: some Collection<StepReport>) -> Double {
        let tokens = steps.reduce(0) { $0 + $1.scoredTokens }
        return steps.reduce(0) { $0 + $1.loss * Double($1.scoredTokens) } / Double(max(1, tokens))
    }
}
