import Foundation
import GRDB

/// How the parts of a score are weighed. Chosen on conversations of several people; nothing in
/// it knows a name or a phrase.
enum FusionWeights {
    /// BM25 of a word in the exchange or its date, in the exchange before, and in the one after.
    static let body = 1.0
    static let previous = 0.4
    static let following = 0.2
    /// BM25 scores count as shares of the best one, but of no less than this: where every exchange
    /// holds every word, the words tell nothing.
    static let leastBest = 0.01
    /// In a store of fewer exchanges any word is in half of them, and BM25 gives next to nothing
    /// for it; there the least difference counts.
    static let smallStore = 50
    static let leastBestInSmallStore = 1e-9
    /// Cosine of the exchange and of its neighbourhood, beside BM25 as a share of the best.
    static let dense = 0.6
    static let neighbourhood = 0.4
    /// An exchange that names a time, when a time is asked for.
    static let asksForTime = 0.2
    /// An exchange of the time that the question names.
    static let inInterval = 0.2
    /// What the newest exchange gains over one of long ago; it decides between equals.
    static let recency = 0.01
    /// Days after which that gain is halved.
    static let recencyHalfLifeDays = 30.0
    /// The best that all parts together can reach: scores are shares of it.
    static let whole = 1 + dense + neighbourhood + asksForTime + inInterval + recency
}

extension RetrievalStore {
    /// How many exchanges each half of the search puts forward.
    static let candidateCount = 400

    /// Finds the exchanges that fit a question best.
    ///
    /// Words (BM25 over the exchange, its date and its neighbours), meaning (cosine of the
    /// exchange and of its neighbourhood) and time are weighed together. The best are returned
    /// however poor they are; ask `Memory.isRelevant`, or use `relevant`, where that matters.
    ///
    /// - Parameters:
    ///   - query: any text.
    ///   - limit: at most so many.
    ///   - now: when the question is asked; the newest exchange's time where nil.
    /// - Returns: the exchanges, best first.
    /// - Throws: `queryEmpty`, `storeFailed` and its kin, `embeddingFailed`.
    public func search(
        _ query: String, limit: Int = 10, now: Date? = nil
    ) throws(MemoryError) -> [Memory] {
        guard query.contains(where: { !$0.isWhitespace }) else { throw .queryEmpty }
        guard limit > 0 else { return [] }
        var vector: [Float]?
        if let embedder { vector = try Self.vectors(of: [query], by: embedder).first }
        let words = SearchWords.queryWords(in: query)
        return try reading { database in
            try self.search(
                query, words: words, vector: vector, limit: limit, now: now, database)
        }
    }

    /// Finds what a chat should be reminded of: perhaps nothing. Repeated exchanges count once,
    /// the newest of them.
    ///
    /// - Parameters:
    ///   - query: what the person just said.
    ///   - limit: at most so many.
    ///   - now: when it was said.
    /// - Returns: exchanges above the relevance floor, best first.
    /// - Throws: as `search`, but an empty query or mere small talk gives nothing.
    public func relevant(
        to query: String, limit: Int = 3, now: Date? = nil
    ) throws(MemoryError) -> [Memory] {
        let words = SearchWords.queryWords(in: query)
        // Greetings and thanks are near to every greeting and thanks ever said.
        guard words.contains(where: { !EnglishWords.smallTalk.contains($0) }) else { return [] }
        var chosen: [Memory] = []
        for memory in try search(query, limit: limit * 4 + 8, now: now) where memory.isRelevant {
            if let index = chosen.firstIndex(where: { $0.text == memory.text }) {
                let isNewer =
                    (memory.timestamp ?? .distantPast) > (chosen[index].timestamp ?? .distantPast)
                if isNewer { chosen[index] = memory }
            } else {
                chosen.append(memory)
            }
        }
        return Array(chosen.prefix(limit))
    }

    private func search(
        _ query: String, words: [String], vector: [Float]?, limit: Int, now: Date?,
        _ database: Database
    ) throws -> [Memory] {
        let newest = Self.date(
            try Int64.fetchOne(database, sql: "SELECT max(milliseconds) FROM exchange"))
        let now = now ?? newest ?? Date()
        let time = TimeWords(question: query, now: now)
        let words = words.filter { !time.relativeWords.contains($0) }
        let lexical = try Self.lexicalScores(words, database)
        let best = max(lexical.values.max() ?? 0, try Self.leastBest(database))
        var nearness: [Int64: VectorTable.Snapshot.Nearness] = [:]
        if let vector {
            nearness = try vectors.snapshot(database, width: vector.count).nearness(to: vector)
        }
        let dense = nearness.mapValues { near in
            FusionWeights.dense * Double(near.own)
                + FusionWeights.neighbourhood * Double(near.neighbourhood)
        }
        var candidates = Set(lexical.keys)
        candidates.formUnion(
            Self.largest(dense, count: max(Self.candidateCount, limit)))
        var scored: [(number: Int64, score: Double, time: Double)] = []
        for row in try Self.times(of: candidates, database) {
            let time = Self.timeScore(row, time)
            let score =
                (lexical[row.number] ?? 0) / best + (dense[row.number] ?? 0) + time
                + Self.recency(row.date, newest: newest)
            scored.append((row.number, score, time))
        }
        scored.sort { ($0.score, $0.number) > ($1.score, $1.number) }
        let coverage = try Coverage(words: words, database)
        return try scored.prefix(limit).compactMap { item in
            guard
                let row = try Row.fetchOne(
                    database, sql: "SELECT * FROM exchange WHERE number = ?",
                    arguments: [item.number])
            else { return nil }
            let near = nearness[item.number]
            let evidence = Memory.Evidence(
                lexical: (lexical[item.number] ?? 0) / best,
                coverage: coverage.share(of: item.number), dense: Double(near?.own ?? 0),
                neighbourhood: Double(near?.neighbourhood ?? 0), time: item.time)
            return Memory(
                id: row["id"], score: max(0, item.score) / FusionWeights.whole,
                timestamp: Self.date(row["milliseconds"]), session: row["session"],
                text: row["transcript"], tags: try Self.tags(row["tags"]), evidence: evidence)
        }
    }

    private static func leastBest(_ database: Database) throws -> Double {
        let count =
            try Int.fetchOne(
                database, sql: "SELECT count(*) FROM (SELECT 1 FROM exchange LIMIT ?)",
                arguments: [FusionWeights.smallStore]) ?? 0
        return count < FusionWeights.smallStore
            ? FusionWeights.leastBestInSmallStore : FusionWeights.leastBest
    }

    /// BM25 of the best exchanges by words; positive, larger is better.
    private static func lexicalScores(
        _ words: [String], _ database: Database
    ) throws -> [Int64: Double] {
        guard !words.isEmpty else { return [:] }
        let weights = [FusionWeights.body, FusionWeights.previous, FusionWeights.following]
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT rowid, bm25(searchText, \(weights.map { "\($0)" }.joined(separator: ", ")))
                AS badness FROM searchText WHERE searchText MATCH ? ORDER BY badness LIMIT ?
                """, arguments: [SearchWords.matchExpression(of: words), candidateCount])
        var scores: [Int64: Double] = [:]
        for row in rows {
            let badness: Double = row["badness"]
            scores[row["rowid"]] = max(0, -badness)
        }
        return scores
    }

    private struct TimeRow {
        let number: Int64
        let date: Date?
        let namesTime: Bool
    }

    private static func times(
        of numbers: Set<Int64>, _ database: Database
    ) throws -> [TimeRow] {
        let statement = try database.cachedStatement(
            sql: "SELECT milliseconds, namesTime FROM exchange WHERE number = ?")
        return try numbers.compactMap { number in
            try Row.fetchOne(statement, arguments: [number]).map {
                TimeRow(number: number, date: date($0["milliseconds"]), namesTime: $0["namesTime"])
            }
        }
    }

    private static func timeScore(_ row: TimeRow, _ time: TimeWords) -> Double {
        var score = 0.0
        if time.asksForTime && row.namesTime { score += FusionWeights.asksForTime }
        if let interval = time.interval, let date = row.date, interval.contains(date) {
            score += FusionWeights.inInterval
        }
        return score
    }

    private static func recency(_ date: Date?, newest: Date?) -> Double {
        guard let date, let newest else { return 0 }
        let days = max(0, newest.timeIntervalSince(date) / 86_400)
        return FusionWeights.recency * exp2(-days / FusionWeights.recencyHalfLifeDays)
    }

    /// The keys of the `count` largest values.
    private static func largest(_ values: [Int64: Double], count: Int) -> [Int64] {
        if values.count <= count { return Array(values.keys) }
        // A heap of the best so far would do the same; sorting pairs of numbers is fast enough.
        return values.sorted { ($0.value, $0.key) > ($1.value, $1.key) }.prefix(count).map(\.key)
    }
}

/// How much of what a question's words tell an exchange and its neighbours hold.
private struct Coverage {
    private var information: [(holders: Set<Int64>, weight: Double)] = []

    init(words: [String], _ database: Database) throws {
        let total = try Int.fetchOne(database, sql: "SELECT count(*) FROM exchange") ?? 0
        for word in words {
            let holders = try Set(
                Int64.fetchAll(
                    database,
                    sql: "SELECT rowid FROM searchText WHERE searchText MATCH ? LIMIT 20000",
                    arguments: ["\"\(word)\""]))
            let weight = log((Double(total) + 1) / (Double(holders.count) + 0.5))
            information.append((holders, max(0, weight)))
        }
    }

    func share(of number: Int64) -> Double {
        let whole = information.reduce(0) { $0 + $1.weight }
        guard whole > 0 else { return 0 }
        return information.reduce(0) { $0 + ($1.holders.contains(number) ? $1.weight : 0) } / whole
    }
}
