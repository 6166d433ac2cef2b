import CircadiaAnalysis
import CircadiaConversation

/// Which exchanges a store takes in.
///
/// A chat and a night store different things: a store that a chat fills also holds plain talk. Neither
/// policy takes in what a person tagged `no-rag`, what a night made up, or an exchange in which nobody
/// speaks.
package enum StorePolicy: Sendable, Hashable {
    /// A chat stores every exchange as it happens; so do commands that fill a store with a whole log.
    case chat
    /// A night stores what the router sends to the store: what must stay exact.
    case night

    /// Whether a store takes an exchange in.
    package func accepts(_ clean: CleanExchange) -> Bool {
        guard Self.isStorable(clean.exchange) else { return false }
        return switch self {
        case .chat: true
        case .night: clean.routing.destination == .store
        }
    }

    /// Whether any store takes an exchange in.
    static func isStorable(_ exchange: Exchange) -> Bool {
        // What the model made up at night is no memory.
        !exchange.spokenMessages.isEmpty && !exchange.tags.contains(Exchange.noRetrievalTag)
            && !exchange.tags.contains(Exchange.syntheticTag)
    }
}
