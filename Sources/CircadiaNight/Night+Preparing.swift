import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaFormats
import CircadiaKernels
import CircadiaModel
import CircadiaTraining
import Foundation

/// What comes before the first step: a new night or one to go on with, and its rows.
extension Night {
    /// Begins a new night; one that did not end is given up, which is said.
    func begin(
        _ unfinished: UnfinishedNight, exchanges: [CleanExchange], origin: AdapterOrigin,
        report: (Event) -> Void
    ) throws -> NightRecord {
        if unfinished.exists {
            let when = unfinished.summary.map { " of \($0.started.formatted(.iso8601))" } ?? ""
            report(
                .note(
                    "the night\(when) did not end and is given up for this one; "
                        + "--resume would have gone on with it"))
        }
        if let given = try? unfinished.record() {
            // What a killed process was writing.
            AdapterDirectory.removeStrays(beside: versions.url(of: given.number))
        }
        unfinished.discard()
        let record = NightRecord(
            number: versions.nextNumber(), options: options, model: modelName,
            modelFingerprint: modelFingerprint,
            origin: origin.name, exchanges: exchanges)
        try unfinished.save(record)
        return record
    }

    /// The exchanges of a night that goes on.
    ///
    /// Throws `SleepError.nightChanged` where it would end otherwise than it would have.
    func check(
        _ record: NightRecord, log: [CleanExchange], report: (Event) -> Void
    ) throws -> [CleanExchange] {
        let differences = record.differences(options: options, modelFingerprint: modelFingerprint)
        guard differences.isEmpty else { throw SleepError.nightChanged(differences) }
        let tonight = try record.exchanges(in: log)
        let later = log.count - tonight.count
        report(
            .note(
                "going on with the night of \(record.started.formatted(.iso8601))"
                    + (later > 0 ? "; \(later) later exchanges wait for the next night" : "")))
        if record.codeVersion != CodeVersion.current {
            report(
                .note(
                    "it was begun by \(record.codeVersion), this is \(CodeVersion.current): last "
                        + "bits of the adapter may differ"))
        }
        return tonight
    }

    /// Splits, selects, paraphrases, answers as the person wants it, renders and measures. Each night, by
    /// its `number`, rehearses other texts.
    func prepare(
        _ material: NightMaterial, number: Int, ledger: TrainingLedger, rehearsal: [Exchange],
        present: LoRAAdapter?, onlyIfDue: Bool, logPath: String,
        isCancelled: @escaping () -> Bool, report: @escaping (Event) -> Void
    ) throws -> NightRecord.Prepared {
        material.notes.forEach { report(.note($0)) }
        let split = HeldOutSplit(material.exchanges, share: options.heldOutShare)
        let selection = try select(
            split.training, ledger: ledger, onlyIfDue: onlyIfDue, exchanges: material.log.count,
            logPath: logPath, report: report)
        let measured = split.measured { ledger.knows($0.hash) }
        let paraphrased = try paraphrases(
            of: (selection.new.isEmpty ? selection.replayed : selection.new)
                // Other words for “no, I meant …” are about nothing.
                .filter { material.lesson(of: $0.id).correction == nil }, isCancelled: isCancelled,
            report: report)
        let wishes = try preferencePairs(
            in: material.log.map(\.clean), number: number, isCancelled: isCancelled,
            report: report)
        if isCancelled() {
            throw SleepError.interrupted(
                step: nil, total: 0, folder: UnfinishedNight(of: adapterDirectory).url.relativePath)
        }
        let general = Self.sample(
            rehearsal,
            count: Int(
                (Double(selection.exchanges.count + wishes.rows) * options.rehearsalShare)
                    .rounded()),
            seed: "\(options.seed)/\(number)"
        ).cleaned
        let own = (selection.exchanges + paraphrased.exchanges).map(wishes.applied)
        var dataset = NightDataset(
            training: own.map(\.exchange), general: general,
            generalKeepsBase: options.divergenceWeight != nil,
            heldOut: split.heldOut,
            // Replies that were asked not to be are no measure.
            measured: measured.map(wishes.applied).filter { $0.use == .whole }.map(\.exchange),
            asSaid: wishes.preferences.isEmpty ? nil : measured,
            material: material, template: template, maxSequenceLength: options.maxSequenceLength,
            matchesMLX: options.matchesMLX)
        dataset.drop(Set(own.filter { $0.use == .nothing }.map(\.exchange.id)))
        dataset.freeManner(of: Set(own.filter { $0.use == .middle }.map(\.exchange.id)))
        if !wishes.preferences.isEmpty {
            dataset.freeManner(of: Set(general.map(\.id)), first: wishes.firstTokens)
        }
        dataset.add(
            wishes.pairs, template: template, maxSequenceLength: options.maxSequenceLength,
            // A nat of divergence from an answer counts as much as a nat of its own loss.
            pull: Float(1 / max(1, options.divergenceWeight ?? 1))
        ) { base.losses(of: $0.ids, scored: $0.scored) }
        guard
            selection.exchanges.contains(where: { !dataset.withoutRow.contains($0.id) })
                || !wishes.pairs.training.isEmpty
        else {
            throw SleepError.nothingToLearn(path: logPath, exchanges: material.log.count)
        }
        report(
            .note(
                "training on \(dataset.scoredTokens) of \(dataset.totalTokens) tokens: "
                    + "\(selection.exchanges.count) exchanges, \(paraphrased.exchanges.count) paraphrases, "
                    + "\(general.count) general texts; \(split.heldOut.count) exchanges held out"
                    + (measured.count < split.heldOut.count ? ", \(measured.count) measured" : "")))
        let lessons = selection.exchanges.map { material.lesson(of: $0.id) }
        let corrected = lessons.reduce(0) { count, lesson in
            count + lesson.replies.count { $0.rejection == nil && $0.corrects != nil }
        }
        let good = lessons.count { $0.mark == .good }
        note(
            selection, rejected: material.repliesRejected, corrected: corrected, good: good,
            report: report)
        let start = Date()
        let before = heldOutLoss(of: dataset.judged, with: present)
        let planned = try plan(
            dataset, present: present, evaluationSeconds: Date().timeIntervalSince(start),
            report: report)
        return NightRecord.Prepared(
            training: dataset.training, heldOut: dataset.judged,
            heldOutAsSaid: dataset.heldOutAsSaid.isEmpty ? nil : dataset.heldOutAsSaid,
            trainingOptions: planned.options, plan: planned.plan, heldoutLossBefore: before,
            scoredTokens: dataset.scoredTokens, totalTokens: dataset.totalTokens,
            trainedHashes: Set(
                (selection.exchanges + dataset.context).map(\.hash)
                    + wishes.hashes
            ).sorted(),
            heldOutHashes: split.heldOut.map(\.hash),
            exchangesTrained: selection.exchanges.count, exchangesHeldOut: split.heldOut.count,
            exchangesStored: material.stored,
            syntheticPairs: paraphrased.exchanges.count,
            syntheticRefused: Dictionary(
                uniqueKeysWithValues: paraphrased.refused.map { ($0.key.rawValue, $0.value) }),
            preferences: wishes.preferences.count, preferenceOpening: wishes.opening,
            preferencePairs: wishes.pairs.training.count,
            preferencePairsHeldOut: wishes.pairs.heldOut.count,
            preferenceRefused: wishes.pairs.refused,
            rehearsalPairs: general.count,
            ledgerHashes: Dictionary(
                selection.exchanges.map { ($0.id, $0.hash) },
                uniquingKeysWith: { first, _ in first }),
            replayedHashes: selection.replayed.map(\.hash),
            exchangesNew: selection.new.count, exchangesReplayed: selection.replayed.count,
            exchangesWaiting: selection.waiting, repliesRejected: material.repliesRejected,
            repliesCorrected: corrected, repliesGood: good,
            withoutRow: dataset.withoutRow.sorted())
    }

    /// What is trained tonight.
    ///
    /// - Throws: `SleepError.nothingToLearn`, `.nothingNew` or `.nothingDue`.
    private func select(
        _ exchanges: [CleanExchange], ledger: TrainingLedger, onlyIfDue: Bool, exchanges count: Int,
        logPath: String, report: (Event) -> Void
    ) throws(SleepError) -> NightSelection {
        let learnable = exchanges.filter { clean in
            clean.exchange.messages.contains {
                $0.role == .assistant && !Redactor.isMarked($0.content)
            }
        }
        guard !learnable.isEmpty else {
            throw .nothingToLearn(path: logPath, exchanges: count)
        }
        let selection = NightSelection(
            learnable, ledger: ledger, share: options.replayShare, room: room, seed: options.seed)
        if onlyIfDue, !selection.isDue || selection.exchanges.isEmpty {
            throw .nothingDue(path: logPath)
        }
        guard !selection.exchanges.isEmpty else { throw .nothingNew(path: logPath) }
        return selection
    }

    /// The person's exchanges that the steps, or the fewest of a night, reach in one pass; 0 where the
    /// passes are counted.
    private var room: Int {
        let rows = options.leastSteps * options.batchSize * options.gradientAccumulation
        return Int(Double(rows) / (1 + options.rehearsalShare))
    }

    /// Says what the night is made of.
    private func note(
        _ selection: NightSelection, rejected: Int, corrected: Int, good: Int,
        report: (Event) -> Void
    ) {
        if selection.new.isEmpty {
            report(
                .note(
                    "nothing new was said: \(selection.replayed.count) older exchanges are "
                        + "rehearsed, \(selection.waiting) wait for another night"))
        } else {
            report(
                .note(
                    "\(selection.new.count) exchanges are new, \(selection.replayed.count) older "
                        + "ones are rehearsed, \(selection.waiting) wait for another night"))
        }
        guard rejected + corrected + good > 0 else { return }
        report(
            .note(
                "replies: \(rejected) rejected, which are never learnt; \(corrected) that put one "
                    + "right and \(good) called good count "
                    + (options.matchesMLX ? "once, with --mlx-compat" : "double")))
    }

    /// The recipe as training takes it, for so many rows.
    private func trainingOptions(rows: Int) -> TrainingOptions {
        var training = TrainingOptions()
        training.batchSize = options.batchSize * options.gradientAccumulation
        if options.gradientAccumulation > 1 {
            training.maxRowsPerMicroBatch = options.batchSize
        }
        training.iterations = options.steps(rows: rows)
        training.learningRate = options.learningRate
        training.schedule = options.schedule
        training.warmupSteps = options.warmupSteps
        training.weightDecay = options.optimizer == .adamw ? options.weightDecay : 0
        training.usesBiasCorrection = options.usesBiasCorrection
        training.clipNorm = Double(options.clipNorm)
        training.rank = options.loraRank
        training.scale = Double(options.loraScale)
        training.layers = options.loraLayers
        training.keys = options.loraKeys
        training.kind = options.usesDoRA ? .dora : .lora
        training.dropout = options.dropout
        training.maxSequenceLength = options.maxSequenceLength
        training.divergenceWeight = options.divergenceWeight ?? 0
        training.evaluationInterval = options.evaluationInterval
        training.keepsBest = options.evaluationInterval > 0
        training.patience = options.patience
        training.seed = options.seed
        if options.matchesMLX { training.matchMLX() }
        return training
    }

    /// Fits the recipe to the limits of memory and time, and says what will come.
    ///
    /// - `evaluationSeconds`: how long the held-out conversations took; they are measured once more
    ///   when training has ended.
    private func plan(
        _ dataset: NightDataset, present: LoRAAdapter?, evaluationSeconds: Double,
        report: (Event) -> Void
    ) throws -> (options: TrainingOptions, plan: TrainingPlan) {
        let wanted = trainingOptions(rows: dataset.training.count)
        var limits = TrainingLimits()
        limits.memory = options.memoryLimit
        limits.checkpointInterval = options.checkpointInterval
        // A forecast is a forecast: what is left is not planned to the last second.
        limits.seconds = options.finishBy.map {
            ($0.timeIntervalSinceNow - evaluationSeconds - expectedGateSeconds) * 0.97
        }
        let planned = try TrainingPlanner(
            model: base.weights, initial: options.resetAdapter ? nil : present, limits: limits
        ).plan(
            wanted, rows: dataset.training,
            heldOut: options.evaluationInterval > 0 ? dataset.judged : [])
        report(.plan(planned.plan, wantedIterations: wanted.iterations))
        return planned
    }

    private func paraphrases(
        of exchanges: [CleanExchange], isCancelled: @escaping () -> Bool,
        report: @escaping (Event) -> Void
    ) throws -> Paraphraser.Outcome {
        guard options.augmentedPairs > 0 else { return Paraphraser.Outcome() }
        let paraphraser = Paraphraser(
            model: base, tokenizer: tokenizer, template: template, seed: options.seed)
        return try paraphraser.paraphrases(
            of: exchanges, limit: options.augmentedPairs, isCancelled: isCancelled
        ) { report(.paraphrases(good: $0, tried: $1)) }
    }

    /// `count` of `exchanges`, drawn by the seed.
    static func sample(_ exchanges: [Exchange], count: Int, seed: String) -> [Exchange] {
        let order = exchanges.sorted {
            StableHash.of("\(seed)/\($0.id)") < StableHash.of("\(seed)/\($1.id)")
        }
        return Array(order.prefix(count))
    }

    /// Loss of held-out rows with `adapter`, or without one; nats a token.
    func heldOutLoss(of rows: [TrainingRow], with adapter: LoRAAdapter?) -> Double? {
        let model = base.with(adapter)
        var nats = 0.0
        var tokens = 0
        for row in rows {
            let loss = model.loss(of: row.ids, scored: row.scored)
            nats += loss.nats
            tokens += loss.tokens
        }
        return tokens > 0 ? nats / Double(tokens) : nil
    }

    /// What judging will take: as long as last time, half a minute where there was none.
    private var expectedGateSeconds: Double {
        if options.gate == nil { return 0 }
        return versions.nights.last { $0.gate != nil }?.gate?.seconds ?? 30
    }
}
