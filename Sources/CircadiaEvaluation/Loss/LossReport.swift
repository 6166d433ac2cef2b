import Foundation

/// How well a model foresees the assistant's words in a set of exchanges.
package struct LossReport: Codable, Sendable, Equatable {
    /// One exchange's part.
    package struct Sample: Codable, Sendable, Equatable {
        /// The exchange.
        package var id: String
        /// Nats a scored token; 0 where nothing was scored.
        package var loss: Double
        /// Scored tokens.
        package var tokens: Int

        /// Makes a sample.
        package init(id: String, loss: Double, tokens: Int) {
            self.id = id
            self.loss = loss
            self.tokens = tokens
        }
    }

    /// Nats a scored token over all samples: the sum of nats over the sum of tokens, so a long
    /// reply weighs more than a short one.
    package let loss: Double
    /// Scored tokens of all samples.
    package let tokens: Int
    /// `exp(loss)`.
    package let perplexity: Double
    /// The exchanges, in the order given.
    package let samples: [Sample]

    /// Puts samples together; nil where they hold no scored token.
    package init?(samples: [Sample]) {
        tokens = samples.reduce(0) { $0 + $1.tokens }
        guard tokens > 0 else { return nil }
        loss = samples.reduce(0) { $0 + $1.loss * Double($1.tokens) } / Double(tokens)
        perplexity = exp(loss)
        self.samples = samples
    }
}
