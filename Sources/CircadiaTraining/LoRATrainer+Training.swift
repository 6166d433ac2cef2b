import CircadiaModel
import Dispatch

extension LoRATrainer {
    /// Restorations without two good steps in a row before training is given up.
    static let allowedFailures = 5

    /// Trains for `options.iterations` steps.
    ///
    /// - Parameters:
    ///   - rows: rows without a scored token are left out and counted.
    ///   - heldOut: rows that are scored before and after, and in between if the options say so;
    ///     never trained on.
    ///   - progress: called after each step and evaluation; false ends the training.
    /// - Returns: every step and the losses. `adapter` holds the result.
    /// - Throws: `TrainingError.nothingToTrain`, `.unknownToken`, or `.diverged` (`adapter` holds
    ///   the last good numbers then).
    public func train(
        rows: [TrainingRow], heldOut: [TrainingRow] = [],
        progress: (TrainingProgress) -> Bool = { _ in true }
    ) throws(TrainingError) -> TrainingReport {
        let prepared = try prepare(rows)
        if prepared.isEmpty { throw .nothingToTrain(rows: rows.count) }
        if options.order == .mlx, prepared.count < options.batchSize {
            throw .badOption(
                name: "batchSize",
                expected:
                    "at most \(prepared.count), the rows there are: mlx_lm trains full batches "
                    + "only", found: "\(options.batchSize)")
        }
        var run = TrainingRun(
            trainer: self, rows: prepared, heldOut: try prepare(heldOut), given: rows.count)
        return try run.execute(progress: progress)
    }
}

/// One call of `train`.
private struct TrainingRun {
    private let trainer: LoRATrainer
    private let rows: [PreparedRow]
    private let heldOut: [PreparedRow]
    private let given: Int
    private var planner: BatchPlanner
    private var steps: [StepReport] = []
    private var lastBatch: [PreparedRow] = []
    private var seconds = 0.0
    private var tokens = 0
    private var failures = 0
    private var best: (loss: Double, step: Int, adapter: LoRAAdapter)?
    private var evaluationsSinceBest = 0
    private var lastEvaluation: (step: Int, loss: Double)?

    init(trainer: LoRATrainer, rows: [PreparedRow], heldOut: [PreparedRow], given: Int) {
        self.trainer = trainer
        self.rows = rows
        self.heldOut = heldOut
        self.given = given
        planner = BatchPlanner(
            lengths: rows.map(\.length), validationRows: heldOut.count,
            batchSize: trainer.options.batchSize,
            order: trainer.options.order, seed: trainer.options.seed)
        steps.reserveCapacity(trainer.options.iterations)
    }

    mutating func execute(
        progress: (TrainingProgress) -> Bool
    ) throws(TrainingError) -> TrainingReport {
        let options = trainer.options
        var end = TrainingEnd.finished
        var goesOn = true
        if !heldOut.isEmpty { goesOn = evaluate(step: 0, progress) }
        let before = lastEvaluation?.loss
        var step = 0
        while goesOn, step < options.iterations {
            step += 1
            goesOn = try takeStep(step, progress)
            let interval = options.evaluationInterval
            guard goesOn, !heldOut.isEmpty, interval > 0, step % interval == 0 else { continue }
            goesOn = evaluate(step: step, progress)
            if goesOn, options.patience > 0, evaluationsSinceBest >= options.patience {
                end = .noImprovement
                break
            }
        }
        if !goesOn { end = .cancelled }
        checkLastUpdate()
        if !heldOut.isEmpty, goesOn, lastEvaluation?.step != step {
            if !evaluate(step: step, progress) { end = .cancelled }
        }
        return report(end: end, before: before, lastStep: step)
    }

    private mutating func takeStep(
        _ step: Int, _ progress: (TrainingProgress) -> Bool
    ) throws(TrainingError) -> Bool {
        let start = DispatchTime.now().uptimeNanoseconds
        lastBatch = planner.nextBatch().map { rows[$0] }
        let report = trainer.step(lastBatch)
        seconds += Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
        tokens += report.tokens
        steps.append(report)
        if report.isApplied {
            // After a restoration the same numbers give the same finite loss: only the step after
            // tells whether the smaller rate helped.
            if steps.dropLast().last?.isApplied ?? true { failures = 0 }
            return progress(self.progress(.step(report)))
        }
        failures += 1
        if failures >= LoRATrainer.allowedFailures {
            throw .diverged(step: step, attempts: failures)
        }
        return progress(
            self.progress(
                .restored(step: step, learningRateFactor: trainer.learningRateFactor)))
    }

    /// Nobody has seen yet whether the last update left numbers that give a finite loss.
    private mutating func checkLastUpdate() {
        guard steps.last?.isApplied == true, !trainer.loss(lastBatch).mean.isFinite else { return }
        trainer.restore()
        steps[steps.count - 1].isApplied = false
        lastEvaluation = nil
    }

    private mutating func evaluate(step: Int, _ progress: (TrainingProgress) -> Bool) -> Bool {
        let loss = trainer.loss(heldOut).mean
        lastEvaluation = (step, loss)
        let isBest = loss < (best?.loss ?? .infinity)
        if isBest {
            let copy = trainer.options.keepsBest ? trainer.adapter.copy() : trainer.adapter
            best = (loss, step, copy)
            evaluationsSinceBest = 0
        } else {
            evaluationsSinceBest += 1
        }
        return progress(
            self.progress(.evaluation(step: step, loss: loss, isBest: isBest)))
    }

    private func progress(_ event: TrainingProgress.Event) -> TrainingProgress {
        let iterations = trainer.options.iterations
        let perStep = steps.isEmpty ? 0 : seconds / Double(steps.count)
        return TrainingProgress(
            event: event, iterations: iterations,
            tokensPerSecond: seconds > 0 ? Double(tokens) / seconds : 0,
            secondsLeft: perStep * Double(iterations - steps.count))
    }

    private func report(end: TrainingEnd, before: Double?, lastStep: Int) -> TrainingReport {
        let applied = steps.filter(\.isApplied)
        let scored = applied.reduce(0) { $0 + $1.scoredTokens }
        let nats = applied.reduce(0.0) { $0 + $1.loss * Double($1.scoredTokens) }
        var after = lastEvaluation.flatMap { $0.step == lastStep ? $0.loss : nil }
        var finalStep = lastStep
        if trainer.options.keepsBest, let best, best.step < lastStep {
            trainer.adapter.assign(best.adapter)
            after = best.loss
            finalStep = best.step
        }
        return TrainingReport(
            steps: steps, trainLoss: scored == 0 ? 0 : nats / Double(scored),
            heldOutLossBefore: before, heldOutLossAfter: after, finalStep: finalStep,
            rows: rows.count, skippedRows: given - rows.count, tokensTrained: tokens,
            scoredTokensTrained: scored, restorations: steps.count - applied.count,
            trainingSeconds: seconds, memoryByteCount: trainer.memoryByteCount, end: end)
    }
}

extension LoRAAdapter {
    /// Takes over the numbers of an adapter of the same shape.
    fileprivate func assign(_ other: LoRAAdapter) {
        for (target, source) in zip(allPairs, other.allPairs) {
            target.pair.a.pointer.update(from: source.pair.a.pointer, count: target.pair.a.count)
            target.pair.b.pointer.update(from: source.pair.b.pointer, count: target.pair.b.count)
            if let own = target.pair.magnitude, let new = source.pair.magnitude {
                own.values.pointer.update(from: new.values.pointer, count: own.values.count)
            }
        }
    }
}
