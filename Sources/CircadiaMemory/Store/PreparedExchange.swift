/// An exchange with all that the store derives from it.
struct PreparedExchange {
    let exchange: Exchange
    let contentHash: String
    /// What was said with the speakers' names: what people see.
    let transcript: String
    /// What was said without them: what is embedded.
    let spoken: String

    init(_ exchange: Exchange) {
        self.exchange = exchange
        contentHash = exchange.contentHash
        transcript = exchange.transcript
        spoken = Self.spoken(exchange)
    }

    /// The words of the exchange and of its date.
    var searchBody: String {
        let date = exchange.timestamp.map { " " + TimeWords.words(of: $0) } ?? ""
        return Self.searchText(exchange) + date
    }

    /// The words that an exchange is found by.
    static func searchText(_ exchange: Exchange) -> String {
        SearchWords.words(in: spoken(exchange)).joined(separator: " ")
    }

    private static func spoken(_ exchange: Exchange) -> String {
        exchange.spokenMessages.map(\.content).joined(separator: "\n")
    }
}
