extension ModelError: CustomStringConvertible {
    /// The message shown to people.
    package var description: String {
        switch self {
        case .vocabularyMismatch(let tokenizer, let model):
            "the tokenizer knows \(tokenizer) tokens, the model's embedding has \(model) rows; "
                + "tokenizer.json and the weights come from different models: fetch both from the "
                + "same place."
        case .unknownToken(let id, let position, let vocabularySize):
            "token \(position) of the prompt is \(id), but the model's vocabulary ends at "
                + "\(vocabularySize - 1); use the tokenizer that came with the model."
        case .emptyPrompt:
            "the prompt holds no tokens; give it some text."
        case .promptTooLong(let tokens, let contextLength):
            "the prompt has \(tokens) tokens and leaves no room for a reply in a context of "
                + "\(contextLength); shorten it."
        case .contextTooShort(let contextLength, let needed):
            "a context of \(contextLength) tokens is too short for the chat template, which needs "
                + "\(needed) before anything is said; choose a longer one."
        case .unknownAdapter:
            "the adapter of the request is not loaded, or was removed; load it again"
        case .embedderConfiguration(let path, let key, let expected, let found):
            "\(path): \(key) is \(found), expected \(expected); the embedder runs MiniLM and other "
                + "plain BERT encoders only."
        }
    }
}
