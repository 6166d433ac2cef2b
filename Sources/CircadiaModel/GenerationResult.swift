/// Why a generation ended.
public enum FinishReason: String, Sendable, Equatable, Codable {
    /// The model said so, with one of the stop tokens.
    case stop
    /// `maxTokens` were generated.
    case length
    /// The caller asked for it.
    case cancelled
    /// The context is full.
    case context
}

/// What a generation gave and what it took.
public struct GenerationResult: Sendable, Equatable {
    /// The text, without stop tokens.
    public var text: String
    /// The generated tokens, without the stop token.
    public var tokens: [Int32]
    /// Tokens that were read before the first one was generated.
    public var promptTokens: Int
    /// Tokens that were drawn, the stop token among them.
    public var generatedTokens: Int
    /// Tokens that were guessed from earlier text.
    public var draftedTokens: Int
    /// Guessed tokens that were right.
    public var acceptedTokens: Int
    /// Time to read the prompt.
    public var promptSeconds: Double
    /// Time from the end of the prompt to the end of the text.
    public var generationSeconds: Double
    /// Why it ended.
    public var finishReason: FinishReason

    /// Tokens of the prompt read per second.
    public var promptTokensPerSecond: Double {
        promptSeconds > 0 ? Double(promptTokens) / promptSeconds : 0
    }

    /// Tokens generated per second.
    public var generationTokensPerSecond: Double {
        generationSeconds > 0 ? Double(generatedTokens) / generationSeconds : 0
    }
}
