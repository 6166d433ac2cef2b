/// Passes where the model finds the right option the likeliest reply.
///
/// Compared is the mean log-likelihood of an option's tokens, so that a long option is not less
/// likely for its length alone.
public struct MultipleChoice: Sendable, Equatable {
    /// The possible replies, at least two, all different.
    public let options: [String]
    /// The index of the right one.
    public let answer: Int

    /// Makes a question.
    public init(options: [String], answer: Int) {
        self.options = options
        self.answer = answer
    }

    /// Chooses the likeliest option, the first of equals.
    ///
    /// - Parameter likelihoods: nats a token of each option, in order.
    /// - Returns: the option's index; nil where a likelihood is no number.
    public func choice(_ likelihoods: [Double]) -> Int? {
        precondition(likelihoods.count == options.count, "one likelihood an option")
        guard likelihoods.allSatisfy({ !$0.isNaN }), let best = likelihoods.max() else {
            return nil
        }
        return likelihoods.firstIndex(of: best)
    }
}
