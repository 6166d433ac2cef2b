/// Passes where the model finds the right option the likeliest reply.
///
/// Compared is the mean log-likelihood of an option's tokens, so that a long option is not less
/// likely for its length alone.
package struct MultipleChoice: Sendable, Equatable {
    /// The possible replies, at least two, all different.
    package let options: [String]
    /// The index of the right one.
    package let answer: Int

    /// Makes a question.
    package init(options: [String], answer: Int) {
        self.options = options
        self.answer = answer
    }

    /// Chooses the likeliest option, the first of equals.
    ///
    /// - Parameter likelihoods: nats a token of each option, in order.
    /// - Returns: the option's index; nil where a likelihood is no number.
    package func choice(_ likelihoods: [Double]) -> Int? {
        precondition(likelihoods.count == options.count, "one likelihood an option")
        guard likelihoods.allSatisfy({ !$0.isNaN }), let best = likelihoods.max() else {
            return nil
        }
        return likelihoods.firstIndex(of: best)
    }
}
