import CircadiaAnalysis
import CircadiaConversation
import Foundation

/// A place where exchanges are kept and found again: `RetrievalStore` on this machine, `ChromaStore`
/// on a server.
package protocol ExchangeStore: AnyObject, Sendable {
    /// Finds the exchanges that fit a question best, best first, however poor they are.
    func search(_ query: String, limit: Int, now: Date?) throws -> [Memory]

    /// Puts exchanges in; what is there already is left alone.
    @discardableResult
    func ingest(
        _ exchanges: [CleanExchange], policy: StorePolicy, keepingSecrets: Bool,
        progress: (_ done: Int, _ total: Int) -> Bool
    ) throws -> RetrievalStore.IngestReport

    /// How many exchanges there are.
    func count() throws -> Int
    /// Numbers about the store.
    func statistics() throws -> RetrievalStore.Statistics
    /// The exchanges, oldest arrivals first.
    func list(limit: Int?, offset: Int) throws -> [Exchange]
    /// The exchange with an id, if it is there.
    func exchange(id: String) throws -> Exchange?

    /// Takes exchanges out so that nothing of them is left here.
    @discardableResult
    func forget(ids: [String]) throws -> Int
    /// Gives an exchange other tags; false where it is not there.
    @discardableResult
    func setTags(_ tags: [String], of id: String) throws -> Bool
    /// Takes everything out.
    @discardableResult
    func clear() throws -> Int
    /// Gives back what the store holds open.
    func close()
}

extension RetrievalStore: ExchangeStore {}

extension ExchangeStore {
    /// Puts exchanges in and reports no progress; without secrets unless they are wanted.
    @discardableResult
    package func ingest(
        _ exchanges: [CleanExchange], policy: StorePolicy, keepingSecrets: Bool = false
    ) throws -> RetrievalStore.IngestReport {
        try ingest(
            exchanges, policy: policy, keepingSecrets: keepingSecrets,
            progress: { _, _ in true })
    }

    /// All exchanges, oldest arrivals first.
    package func list() throws -> [Exchange] { try list(limit: nil, offset: 0) }

    /// Finds what a chat should be reminded of: perhaps nothing.
    ///
    /// What was said repeatedly counts once, and of what contradicts each other the newest holds; the
    /// others are its `Memory.earlier`.
    ///
    /// - Parameters:
    ///   - query: what the person just said.
    ///   - limit: at most so many.
    ///   - now: when it was said.
    /// - Returns: exchanges above the relevance floor, and, for “what did we talk about yesterday?”, those of
    ///   that time; best first.
    /// - Throws: as `search`, but an empty query or mere small talk gives nothing.
    package func relevant(
        to query: String, limit: Int = 3, now: Date? = nil
    ) throws -> [Memory] {
        let words = SearchWords.queryWords(in: query)
        let time = TimeWords(question: query, now: now ?? Date())
        let span = time.asksForThatTime ? time.interval : nil
        // Greetings and thanks are near to every greeting and thanks ever said.
        guard span != nil || words.contains(where: { !EnglishWords.smallTalk.contains($0) }) else {
            return []
        }
        let found = try search(query, limit: limit * 4 + 8, now: now).filter { memory in
            guard let span else { return memory.isRelevant }
            return memory.timestamp.map(span.contains) ?? false
        }
        return Array(
            MemoryMerging(question: query, namesTime: time.interval != nil).merged(found)
                .prefix(limit))
    }
}
