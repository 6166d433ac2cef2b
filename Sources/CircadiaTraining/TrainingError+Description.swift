import Foundation

extension TrainingError: CustomStringConvertible {
    /// The message shown to people.
    package var description: String {
        switch self {
        case .badOption(let name, let expected, let found):
            "training option \(name): expected \(expected), found \(found)."
        case .nothingToTrain(let rows):
            "none of the \(rows) rows has a token to train on: a row needs an assistant turn "
                + "within the maximum sequence length."
        case .unknownToken(let row, let position, let id, let vocabularySize):
            "row \(row): token \(id) at position \(position) is not in the model's vocabulary of "
                + "\(vocabularySize). The rows were made with another model's tokenizer."
        case .adapterMismatch(let adapterLayers, let modelLayers):
            "the adapter to continue from was made for a model of \(adapterLayers) blocks, but "
                + "this one has \(modelLayers)."
        case .diverged(let step, let attempts):
            "training diverged at step \(step): loss or gradients were not finite \(attempts) "
                + "times, though the learning rate was halved each time. The adapter holds the "
                + "last good values."
        case .memoryLimit(let limit, let least, let model, let row):
            "\(Self.gigabytes(limit)) of memory is not enough: this training run needs at "
                + "least \(Self.gigabytes(least)), \(Self.gigabytes(model)) of it for the model, "
                + "the rest for adapter, optimiser and one row of \(row) tokens at a time."
        case .timeLimit(let seconds, let step):
            "no step fits into the remaining \(Int(seconds)) s: one step takes about "
                + "\(String(format: "%.1f", step)) s."
        case .checkpoint(let path, let problem):
            "\(path): \(problem)"
        }
    }
}

extension TrainingError {
    /// Bytes as gigabytes, rounded up to hundredths, so that the value works as a limit.
    package static func gigabytes(_ bytes: Int) -> String {
        String(format: "%.2f GB", (Double(bytes) / 1e7).rounded(.up) / 100)
    }
}

extension CheckpointProblem: CustomStringConvertible {
    /// The problem, as text to follow a path and a colon.
    package var description: String {
        switch self {
        case .unreadable(let reason):
            "the checkpoint cannot be read: \(reason)"
        case .unknownFormat:
            "this is not a checkpoint of this version of circadia."
        case .otherTraining:
            "the checkpoint belongs to another training run: rows, options or adapter differ."
        }
    }
}
