import Dispatch

extension LoRATrainer {
    /// Restorations without two good steps in a row before the run fails as diverged.
    static let allowedFailures = 5

    /// Trains for `options.iterations` steps.
    ///
    /// - Parameters:
    ///   - rows: rows without a scored token are skipped and counted.
    ///   - heldOut: rows that are scored before and after the run, and during it if the options say
    ///     so. They are never trained on.
    ///   - checkpoints: where and how often to write checkpoints: at the start, every `interval`
    ///     steps and on cancellation. Nil writes none.
    ///   - resumes: whether to continue from that checkpoint. Rows, options and adapter shape must
    ///     be the same. The result has the same bits as an uninterrupted run.
    ///   - progress: called after each step and evaluation. Returning false ends the run.
    /// - Returns: every step and the losses. `adapter` holds the result.
    /// - Throws: `TrainingError.nothingToTrain`, `.unknownToken`, `.badOption`, `.checkpoint` if
    ///   the checkpoint cannot be resumed, or `.diverged`. After `.diverged`, `adapter` holds the
    ///   last good values.
    package func train(
        rows: [TrainingRow], heldOut: [TrainingRow] = [], checkpoints: CheckpointOptions? = nil,
        resumes: Bool = false, progress: (TrainingProgress) -> Bool = { _ in true }
    ) throws(TrainingError) -> TrainingReport {
        let prepared = try prepare(rows)
        if prepared.isEmpty { throw .nothingToTrain(rows: rows.count) }
        try options.validate(rows: prepared.count)
        var run = TrainingRun(
            trainer: self, rows: prepared, heldOut: try prepare(heldOut), given: rows.count,
            checkpoints: checkpoints)
        if resumes { try run.resume() }
        return try run.execute(progress: progress)
    }
}
