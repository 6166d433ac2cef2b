import CircadiaConversation

/// Whoever sits the harness: something that answers, and that tells how likely a given answer is.
package protocol HarnessSubject {
    /// The likeliest reply to `messages`, drawn greedily, of at most `maxTokens` tokens.
    func reply(to messages: [ChatMessage], maxTokens: Int) throws -> String

    /// The mean log-likelihood, nats a token, of each option as the reply to `messages`.
    func likelihoods(of options: [String], after messages: [ChatMessage]) throws -> [Double]
}
