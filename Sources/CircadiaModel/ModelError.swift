/// What can go wrong while a model is loaded or run. Wrong shapes inside the program trap instead.
package enum ModelError: Error, Sendable, Equatable {
    /// The tokenizer makes ids that the model has no embedding for.
    case vocabularyMismatch(tokenizer: Int, model: Int)
    /// A prompt holds an id that the model has no embedding for.
    case unknownToken(id: Int32, position: Int, vocabularySize: Int)
    /// A prompt without tokens.
    case emptyPrompt
    /// A prompt that leaves no room for a reply.
    case promptTooLong(tokens: Int, contextLength: Int)
    /// A context so short that not even an empty message fits the chat template.
    case contextTooShort(contextLength: Int, needed: Int)
    /// A request names an adapter that the host does not hold, or no longer.
    case unknownAdapter
    /// The embedder's `config.json` holds a value that is not supported.
    case embedderConfiguration(path: String, key: String, expected: String, found: String)
}
