import CircadiaAnalysis
import CircadiaConversation
import CircadiaKernels

/// What the index takes from an exchange's text: finding it takes longer than writing it.
struct ExchangeWords {
    /// The counts of all terms, and of the names that are addressed.
    private(set) var counts: [String: Postings.Counts] = [:]
    /// The rest, without the exchange's number.
    private(set) var columns: IndexedExchange

    init(_ exchange: Exchange) {
        var (userWords, otherWords) = (0, 0)
        for message in exchange.spokenMessages {
            let terms = SearchWords.terms(in: message.content)
            let names = AddressedNames.terms(in: message.content).map {
                Postings.addressPrefix + $0
            }
            if message.role == .user {
                userWords += terms.count
                for term in terms + names { counts[term, default: Postings.Counts()].user += 1 }
            } else {
                otherWords += terms.count
                for term in terms + names { counts[term, default: Postings.Counts()].other += 1 }
            }
        }
        columns = IndexedExchange(
            number: 0, exchange: exchange, userWords: userWords, otherWords: otherWords)
    }

    /// Those of several exchanges, in their order, on all threads.
    static func all(of exchanges: [Exchange]) -> [ExchangeWords] {
        var found = [ExchangeWords?](repeating: nil, count: exchanges.count)
        found.withUnsafeMutableBufferPointer { found in
            KernelRuntime.forRanges(of: exchanges.count, grain: 1) { range in
                for index in range { found[index] = ExchangeWords(exchanges[index]) }
            }
        }
        return found.compactMap { $0 }
    }
}
