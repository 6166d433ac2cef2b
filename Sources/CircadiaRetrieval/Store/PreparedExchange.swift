import CircadiaAnalysis
import CircadiaConversation

/// An exchange with what the store keeps beside it.
struct PreparedExchange {
    let exchange: Exchange
    let contentHash: ContentHash
    /// What was said with the speakers' names: what people see.
    let transcript: String

    /// An exchange that a store keeps already: it was cleaned when it went there.
    init(stored exchange: Exchange) {
        self.init(exchange, contentHash: exchange.contentHash)
    }

    /// An exchange that is new to a store.
    init(_ clean: CleanExchange, keepingSecrets: Bool) {
        self.init(
            clean.kept(keepingSecrets: keepingSecrets),
            contentHash: keepingSecrets ? clean.hashAsSaid : clean.hash)
    }

    private init(_ exchange: Exchange, contentHash: ContentHash) {
        self.exchange = exchange
        self.contentHash = contentHash
        transcript = exchange.transcript
    }
}
