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
    ///   - checkpoints: where training is put on disk, at the start, every so many steps and when it
    ///     is cancelled; nil for nowhere.
    ///   - resumes: whether to go on from that checkpoint, which must be of the same rows, options
    ///     and adapter shape: the result has the same bits as if nothing had happened.
    ///   - progress: called after each step and evaluation; false ends the training.
    /// - Returns: every step and the losses. `adapter` holds the result.
    /// - Throws: `TrainingError.nothingToTrain`, `.unknownToken`, `.checkpoint` where none can be
    ///   gone on from, or `.diverged` (`adapter` holds the last good numbers then).
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
