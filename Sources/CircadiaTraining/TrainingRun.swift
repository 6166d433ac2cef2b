import CircadiaModel
import Dispatch

/// One call of `LoRATrainer.train`.
///
/// Everything that changes from step to step is in `state`, in the planner and in the trainer. A
/// checkpoint of these three at the head of the loop is therefore complete.
struct TrainingRun {
    private let trainer: LoRATrainer
    private let rows: [PreparedRow]
    private let heldOut: [PreparedRow]
    private let given: Int
    private let checkpoints: CheckpointOptions?
    private let fingerprint: String
    private var planner: BatchPlanner
    private var state = TrainingRunState()
    private var bestAdapter: LoRAAdapter?
    /// The step of the last checkpoint on the disk.
    private var checkpointStep: Int?

    init(
        trainer: LoRATrainer, rows: [PreparedRow], heldOut: [PreparedRow], given: Int,
        checkpoints: CheckpointOptions?
    ) {
        self.trainer = trainer
        self.rows = rows
        self.heldOut = heldOut
        self.given = given
        self.checkpoints = checkpoints
        fingerprint = checkpoints == nil ? "" : trainer.fingerprint(rows: rows, heldOut: heldOut)
        planner = Self.planner(trainer, rows: rows, heldOut: heldOut)
    }

    private static func planner(
        _ trainer: LoRATrainer, rows: [PreparedRow], heldOut: [PreparedRow]
    ) -> BatchPlanner {
        BatchPlanner(
            lengths: rows.map(\.length), validationRows: heldOut.count,
            batchSize: trainer.options.batchSize, order: trainer.options.order,
            seed: trainer.options.seed)
    }

    /// Restores the run from its checkpoint.
    mutating func resume() throws(TrainingError) {
        guard let url = checkpoints?.url else { return }
        let checkpoint = try TrainingCheckpoint(
            restoring: trainer, fingerprint: fingerprint, from: url)
        guard planner.restore(checkpoint.planner),
            checkpoint.run.lastBatch.allSatisfy(rows.indices.contains)
        else { throw .checkpoint(path: url.path, problem: .otherTraining) }
        state = checkpoint.run
        checkpointStep = state.step
        bestAdapter = checkpoint.bestValues.map { values in
            let adapter = trainer.adapter.copy()
            adapter.assign(flat: values)
            return adapter
        }
    }

    mutating func execute(
        progress: (TrainingProgress) -> Bool
    ) throws(TrainingError) -> TrainingReport {
        let options = trainer.options
        var end: TrainingEnd?
        repeat {
            if isEvaluationDue, !evaluate(progress) {
                end = .cancelled
            } else if options.patience > 0, state.evaluationsSinceBest >= options.patience {
                end = .noImprovement
            } else if state.step >= options.iterations {
                end = .finished
            } else {
                if isCheckpointDue { writeCheckpoint(progress) }
                if !(try takeStep(progress)) { end = .cancelled }
            }
        } while end == nil
        if end == .cancelled { writeCheckpoint(progress) }
        checkLastUpdate()
        if end != .cancelled, !heldOut.isEmpty, state.lastEvaluation?.step != state.step {
            if !evaluate(progress) { end = .cancelled }
        }
        return report(end: end ?? .finished)
    }

    /// Whether to evaluate now: before the first step and then at the interval of the options.
    private var isEvaluationDue: Bool {
        let interval = trainer.options.evaluationInterval
        guard !heldOut.isEmpty, state.lastEvaluation?.step != state.step else { return false }
        return state.step == 0 || (interval > 0 && state.step % interval == 0)
    }

    private var isCheckpointDue: Bool {
        guard let checkpoints, checkpointStep != state.step else { return false }
        return state.step == 0
            || (checkpoints.interval > 0 && state.step % checkpoints.interval == 0)
    }

    /// Writes a checkpoint. If that fails, the run continues: its result is worth more.
    private mutating func writeCheckpoint(_ progress: (TrainingProgress) -> Bool) {
        guard let url = checkpoints?.url, checkpointStep != state.step else { return }
        let start = DispatchTime.now().uptimeNanoseconds
        do throws {
            try TrainingCheckpoint.write(
                trainer, run: state, planner: planner.state,
                best: trainer.options.keepsBest ? bestAdapter : nil, fingerprint: fingerprint,
                to: url)
        } catch {
            _ = progress(
                self.progress(.checkpointFailed(step: state.step, reason: "\(error)")))
            return
        }
        checkpointStep = state.step
        let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
        _ = progress(self.progress(.checkpoint(step: state.step, seconds: seconds)))
    }

    private mutating func takeStep(
        _ progress: (TrainingProgress) -> Bool
    ) throws(TrainingError) -> Bool {
        let start = DispatchTime.now().uptimeNanoseconds
        state.lastBatch = planner.nextBatch()
        let report = trainer.step(state.lastBatch.map { rows[$0] })
        state.seconds += Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
        state.tokens += report.tokens
        state.steps.append(report)
        if report.isApplied {
            // After a restoration the same values give the same finite loss. Only the next step
            // shows whether the smaller rate helped.
            if state.steps.dropLast().last?.isApplied ?? true { state.failures = 0 }
            return progress(self.progress(.step(report)))
        }
        state.failures += 1
        if state.failures >= LoRATrainer.allowedFailures {
            throw .diverged(step: state.step, attempts: state.failures)
        }
        return progress(
            self.progress(
                .restored(step: state.step, learningRateFactor: trainer.learningRateFactor)))
    }

    /// Checks that the last update left values with a finite loss, which no step has verified yet.
    private mutating func checkLastUpdate() {
        guard state.steps.last?.isApplied == true,
            !trainer.loss(state.lastBatch.map { rows[$0] }).mean.isFinite
        else { return }
        trainer.restore()
        state.steps[state.steps.count - 1].isApplied = false
        state.lastEvaluation = nil
    }

    private mutating func evaluate(_ progress: (TrainingProgress) -> Bool) -> Bool {
        let loss = trainer.loss(heldOut).mean
        let evaluation = TrainingRunState.Evaluation(step: state.step, loss: loss)
        state.lastEvaluation = evaluation
        if state.step == 0 { state.before = loss }
        let isBest = loss < (state.best?.loss ?? .infinity)
        if isBest {
            if trainer.options.keepsBest { bestAdapter = trainer.adapter.copy() }
            state.best = evaluation
            state.evaluationsSinceBest = 0
        } else {
            state.evaluationsSinceBest += 1
        }
        return progress(
            self.progress(.evaluation(step: state.step, loss: loss, isBest: isBest)))
    }

    private func progress(_ event: TrainingProgress.Event) -> TrainingProgress {
        let iterations = trainer.options.iterations
        let perStep = state.steps.isEmpty ? 0 : state.seconds / Double(state.step)
        return TrainingProgress(
            event: event, iterations: iterations,
            tokensPerSecond: state.seconds > 0 ? Double(state.tokens) / state.seconds : 0,
            secondsLeft: perStep * Double(iterations - state.step))
    }

    private func report(end: TrainingEnd) -> TrainingReport {
        let applied = state.steps.filter(\.isApplied)
        let scored = applied.reduce(0) { $0 + $1.scoredTokens }
        let nats = applied.reduce(0.0) { $0 + $1.loss * Double($1.scoredTokens) }
        var after = state.lastEvaluation.flatMap { $0.step == state.step ? $0.loss : nil }
        var finalStep = state.step
        if let best = state.best, let bestAdapter, best.step < state.step {
            trainer.adapter.assign(bestAdapter)
            after = best.loss
            finalStep = best.step
        }
        return TrainingReport(
            steps: state.steps, trainLoss: scored == 0 ? 0 : nats / Double(scored),
            heldOutLossBefore: state.before, heldOutLossAfter: after, finalStep: finalStep,
            rows: rows.count, idsTrained: idsTrained(steps: finalStep),
            skippedRows: given - rows.count, tokensTrained: state.tokens,
            scoredTokensTrained: scored, restorations: state.steps.count - applied.count,
            trainingSeconds: state.seconds, memoryByteCount: trainer.memoryByteCount, end: end)
    }

    /// The rows of the applied steps, found by dealing the batches again from the start.
    private func idsTrained(steps: Int) -> Set<String> {
        var planner = Self.planner(trainer, rows: rows, heldOut: heldOut)
        var ids: Set<String> = []
        for step in state.steps.prefix(steps) {
            let batch = planner.nextBatch()
            if step.isApplied { ids.formUnion(batch.map { rows[$0].id }) }
        }
        return ids
    }
}
