import Foundation

/// How well a model foresees the assistant's words in a set of exchanges.
public struct LossReport: Codable, Sendable, Equatable {
    /// One exchange's part.
    public struct Sample: Codable, Sendable, Equatable {
        /// The exchange.
        public var id: String
        /// Nats a scored token; 0 where nothing was scored.
        public var loss: Double
        /// Scored tokens.
        public var tokens: Int

        /// Makes a sample.
        public init(id: String, loss: Double, tokens: Int) {
            self.id = id
            self.loss = loss
            self.tokens = tokens
        }
    }

    /// Nats a scored token over all samples: the sum of nats over the sum of tokens, so a long
    /// reply weighs more than a short one.
    public let loss: Double
    /// Scored tokens of all samples.
    public let tokens: Int
    /// `exp(loss)`.
    public let perplexity: Double
    /// The exchanges, in the order given.
    public let samples: [Sample]

    /// Puts samples together; nil where they hold no scored token.
    public init?(samples: [Sample]) {
        tokens = samples.reduce(0) { $0 + $1.tokens }
        guard tokens > 0 else { return nil }
        loss = samples.reduce(0) { $0 + $1.loss * Double($1.tokens) } / Double(tokens)
        perplexity = exp(loss)
        self.samples = samples
    }
}
