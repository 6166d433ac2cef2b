/// What can go wrong while an adapter is trained. Rows are named by their ids, never quoted.
package enum TrainingError: Error, Sendable, Equatable {
    /// An option has a value that makes no sense.
    case badOption(name: String, expected: String, found: String)
    /// No row has a token to train on; `rows` says how many were given.
    case nothingToTrain(rows: Int)
    /// A row holds an id that the model has no embedding for.
    case unknownToken(row: String, position: Int, id: Int32, vocabularySize: Int)
    /// The adapter to go on from was made for another number of blocks.
    case adapterMismatch(adapterLayers: Int, modelLayers: Int)
    /// Loss or gradients were not finite so many times without two good steps in between, though
    /// the learning rate was halved each time. The adapter holds the last good numbers.
    case diverged(step: Int, attempts: Int)
    /// Training would take more memory than it may, whatever the micro-batch; `least` is what works,
    /// `model` the part of it that was there before, `row` the tokens of the longest row.
    case memoryLimit(limit: Int, least: Int, model: Int, row: Int)
    /// Not one step fits into the time.
    case timeLimit(seconds: Double, step: Double)
    /// A checkpoint cannot be used; `problem` says why.
    case checkpoint(path: String, problem: CheckpointProblem)
}

/// Why a checkpoint cannot be gone on from.
package enum CheckpointProblem: Error, Sendable, Equatable {
    /// It cannot be read, for this reason.
    case unreadable(String)
    /// It is no checkpoint of this program, or one of another version.
    case unknownFormat
    /// It belongs to other rows, other options or another adapter.
    case otherTraining
}
