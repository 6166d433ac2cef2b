extension TrainingError: CustomStringConvertible {
    /// The message shown to people.
    public var description: String {
        switch self {
        case .badOption(let name, let expected, let found):
            "training option \(name): expected \(expected), found \(found)."
        case .nothingToTrain(let rows):
            "none of the \(rows) rows has a token to train on: a row needs an assistant turn "
                + "within the maximum sequence length. Chat first, or raise --max-seq-len."
        case .unknownToken(let row, let position, let id, let vocabularySize):
            "row \(row): token \(id) at position \(position) is not in the model's vocabulary of "
                + "\(vocabularySize). The rows were made with another model's tokenizer."
        case .adapterMismatch(let adapterLayers, let modelLayers):
            "the adapter to go on from was made for a model of \(adapterLayers) blocks, but this "
                + "one has \(modelLayers). Start anew with --reset-adapter, or use the model that "
                + "the adapter was trained on."
        case .diverged(let step, let attempts):
            "training diverged at step \(step): loss or gradients were not finite \(attempts) "
                + "times, though the learning rate was halved each time. The adapter holds the "
                + "last good numbers. Lower --learning-rate or --lora-scale."
        }
    }
}
