/// Why a generation ended.
package enum FinishReason: String, Sendable, Equatable, Codable {
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
package struct GenerationResult: Sendable, Equatable {
    /// The text, without stop tokens.
    package var text: String
    /// The generated tokens, without the stop token.
    package var tokens: [Int32]
    /// Tokens that were read before the first one was generated.
    package var promptTokens: Int
    /// Tokens that were drawn, the stop token among them.
    package var generatedTokens: Int
    /// Tokens that were guessed from earlier text.
    package var draftedTokens: Int
    /// Guessed tokens that were right.
    package var acceptedTokens: Int
    /// Time to read the prompt.
    package var promptSeconds: Double
    /// Time from the end of the prompt to the end of the text.
    package var generationSeconds: Double
    /// Why it ended.
    package var finishReason: FinishReason

    /// Tokens of the prompt read per second.
    package var promptTokensPerSecond: Double {
        promptSeconds > 0 ? Double(promptTokens) / promptSeconds : 0
    }

    /// Tokens generated per second.
    package var generationTokensPerSecond: Double {
        generationSeconds > 0 ? Double(generatedTokens) / generationSeconds : 0
    }
}
