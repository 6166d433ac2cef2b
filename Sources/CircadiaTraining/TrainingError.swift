/// Errors of training. Rows are named by their ids; their text is never quoted.
package enum TrainingError: Error, Sendable, Equatable {
    /// An option has a value outside its range.
    case badOption(name: String, expected: String, found: String)
    /// None of the `rows` given rows has a token to train on.
    case nothingToTrain(rows: Int)
    /// A row contains a token id without an embedding in the model. `position` counts from 0.
    case unknownToken(row: String, position: Int, id: Int32, vocabularySize: Int)
    /// The adapter to continue from was made for another number of blocks.
    case adapterMismatch(adapterLayers: Int, modelLayers: Int)
    /// Loss or gradients were not finite `attempts` times without two good steps in between,
    /// although the learning rate was halved each time. The adapter holds the last good values.
    case diverged(step: Int, attempts: Int)
    /// Training needs more memory than `limit`, even with the smallest micro-batch. All sizes are
    /// in bytes. `least` is the limit that would work. `model` is the part of it that was in use
    /// before. `row` is the number of tokens of the longest row.
    case memoryLimit(limit: Int, least: Int, model: Int, row: Int)
    /// No step fits into the time. Both values are seconds.
    case timeLimit(seconds: Double, step: Double)
    /// A checkpoint cannot be used, for the reason in `problem`.
    case checkpoint(path: String, problem: CheckpointProblem)
}

/// Why a run cannot resume from a checkpoint.
package enum CheckpointProblem: Error, Sendable, Equatable {
    /// The file cannot be read, for this reason.
    case unreadable(String)
    /// The file is not a checkpoint, or was written by another version.
    case unknownFormat
    /// The checkpoint belongs to other rows, other options or another adapter.
    case otherTraining
}
