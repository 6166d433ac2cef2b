import CircadiaConversation

/// An exchange with what the store keeps beside it.
struct PreparedExchange {
    let exchange: Exchange
    let contentHash: String
    /// What was said with the speakers' names: what people see.
    let transcript: String

    init(_ exchange: Exchange) {
        self.exchange = exchange
        contentHash = exchange.contentHash
        transcript = exchange.transcript
    }
}
