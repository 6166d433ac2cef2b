/// How the next token is drawn, and how many are.
public struct SamplingOptions: Sendable, Equatable {
    /// Divides the logits; 0 always takes the likeliest token.
    public var temperature: Float = 0.7
    /// Draw from the likeliest tokens that together reach this probability; 1 means all.
    public var topP: Float = 0.9
    /// Draw from this many of the likeliest tokens; 0 means all.
    public var topK = 0
    /// Leave out tokens less likely than this share of the likeliest one; 0 leaves none out.
    public var minP: Float = 0
    /// Divides positive logits of recent tokens and multiplies negative ones; 1 changes nothing.
    public var repetitionPenalty: Float = 1
    /// How many of the last tokens the penalty looks at.
    public var repetitionWindow = 64
    /// Guess several tokens at a time from what was said before, and check them together. The text
    /// is the same with and without.
    public var usesLookup = true
    /// The whole sequence of draws follows from it.
    public var seed: UInt64 = 0
    /// Tokens of a reply at most.
    public var maxTokens = 256

    /// The defaults of `circadia chat`.
    public init() {}

    /// Always the likeliest token.
    public static func greedy(maxTokens: Int) -> SamplingOptions {
        var options = SamplingOptions()
        options.temperature = 0
        options.topP = 1
        options.maxTokens = maxTokens
        return options
    }
}
