/// How the next token is drawn, and how many are.
package struct SamplingOptions: Sendable, Equatable {
    /// Divides the logits; 0 always takes the likeliest token.
    package var temperature: Float = 0.7
    /// Draw from the likeliest tokens that together reach this probability; 1 means all.
    package var topP: Float = 0.9
    /// Draw from this many of the likeliest tokens; 0 means all.
    package var topK = 0
    /// Leave out tokens less likely than this share of the likeliest one; 0 leaves none out.
    package var minP: Float = 0
    /// Divides positive logits of recent tokens and multiplies negative ones; 1 changes nothing.
    package var repetitionPenalty: Float = 1
    /// How many of the last tokens the penalty looks at.
    package var repetitionWindow = 64
    /// Guess several tokens at a time from what was said before, and check them together. The text
    /// is the same with and without.
    package var usesLookup = true
    /// The whole sequence of draws follows from it.
    package var seed: UInt64 = 0
    /// Tokens of a reply at most.
    package var maxTokens = 256

    /// The defaults of `circadia chat`.
    package init() {}

    /// Always the likeliest token.
    package static func greedy(maxTokens: Int) -> SamplingOptions {
        var options = SamplingOptions()
        options.temperature = 0
        options.topP = 1
        options.maxTokens = maxTokens
        return options
    }
}
