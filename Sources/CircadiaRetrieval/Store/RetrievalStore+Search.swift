import CircadiaFiles
import CircadiaAnalysis
import Foundation
import GRDB

extension RetrievalStore {
    /// How many exchanges that hold a quoted phrase are looked at.
    private static let phraseLimit = 10_000

    /// Finds the exchanges that fit a question best.
    ///
    /// Words (BM25 over the exchange and its neighbours), meaning (cosines of both sides and of the
    /// neighbours), time and who is asked about are weighed together; a phrase in double quotes
    /// must stand there as it is to count. The best are returned
    /// however poor they are; ask `Memory.isRelevant`, or use `relevant`, where that matters.
    ///
    /// - Parameters:
    ///   - query: any text.
    ///   - limit: at most so many.
    ///   - now: when the question is asked; the newest exchange's time where nil.
    /// - Returns: the exchanges, best first.
    /// - Throws: `queryEmpty`, `storeFailed` and its kin, `embeddingFailed`.
    package func search(
        _ query: String, limit: Int = 10, now: Date? = nil
    ) throws -> [Memory] {
        try search(query, limit: limit, now: now) { asked throws in
            guard let embedder else { return nil }
            return LocalNearness(vector: try Self.vector(ofQuestion: asked, by: embedder))
        }
    }

    /// Finds as `search` does, with cosines from wherever `source` gives, nil for none.
    func search(
        _ query: String, limit: Int, now: Date?,
        nearness source: (_ asked: String) throws -> (any NearnessSource)?
    ) throws -> [Memory] {
        guard query.contains(where: { !$0.isWhitespace }) else { throw RetrievalError.queryEmpty }
        guard limit > 0 else { return [] }
        let terms: QuestionTerms = try reading { database in
            try QuestionTerms(SearchWords.queryTerms(in: query), postings, database)
        }
        let nearness = try source(terms.withoutNames(query))
        let found = try reading { database in
            try index.withContents(database, width: nearness?.width ?? 0) { contents in
                try self.search(
                    query, terms: terms, nearness: nearness, limit: limit, now: now, contents,
                    database)
            }
        }
        if index.isCacheDue { saveIndex() }
        return found
    }

    /// Keeps the index in a file for the next program. Whoever removes something holds the same lock
    /// until the file is gone, so it never has what the database has not.
    private func saveIndex() {
        guard let lock = try? FileLock(ifFree: directory) else { return }
        defer { lock.unlock() }
        // What fails here is no failure of the search.
        try? reading { database in try index.save(database) }
    }

    /// Removes something from the database, and what the index's file has of it.
    func removing<Value>(_ body: () throws -> Value) throws -> Value {
        let lock = try? FileLock(directory)
        defer {
            SearchCache.remove(in: directory)
            lock?.unlock()
        }
        return try body()
    }

    private func search(
        _ query: String, terms: QuestionTerms, nearness: (any NearnessSource)?, limit: Int,
        now: Date?,
        _ contents: IndexContents, _ database: Database
    ) throws -> [Memory] {
        let newest = try Int64.fetchOne(database, sql: "SELECT max(milliseconds) FROM exchange")
        let time = TimeWords(question: query, now: now ?? Self.date(newest) ?? Date())
        let relative = Set(time.relativeWords.map(SearchWords.term))
        let scorer = QuestionScorer(
            contents, side: AskedSide(names: terms.names, in: contents), time: time,
            newest: newest)
        // The words of a date were understood as a time; exchanges seldom name their own.
        scorer.add(
            terms.terms.filter {
                !relative.contains($0.term)
                    && (time.interval == nil || !TimeWords.isPartOfDate($0.term))
            }.map(\.postings))
        for phrase in SearchWords.quotedPhrases(in: query) {
            scorer.add(phraseHolders: try Self.holders(of: phrase, database))
        }
        try nearness?.score(scorer, database)
        var best = scorer.best(max(limit, nearness?.refinedCount ?? 0))
        if let nearness, scorer.hasVectors {
            try nearness.refine(scorer, best.map(\.slot), database)
            best = best.map { ($0.slot, scorer.score($0.slot) ?? $0.score) }
            best.sort { ($0.score, $0.slot) > ($1.score, $1.slot) }
        }
        let statement = try database.cachedStatement(
            sql: """
                SELECT id, milliseconds, session, transcript, tags FROM exchange WHERE number = ?
                """)
        return try best.prefix(limit).compactMap { slot, score in
            guard
                let row = try Row.fetchOne(statement, arguments: [Int64(slot) + contents.base])
            else { return nil }
            return Memory(
                id: row["id"], score: Double(max(0, score) / FusionWeights.whole),
                timestamp: Self.date(row["milliseconds"]), session: row["session"],
                text: row["transcript"], tags: try Self.tags(row["tags"]),
                evidence: scorer.evidence(slot))
        }
    }

    private static func holders(of phrase: String, _ database: Database) throws -> [Int32] {
        // Quotation marks cannot be in it: it stood between two of them.
        try Int32.fetchAll(
            database,
            sql: "SELECT rowid FROM searchText WHERE searchText MATCH ? LIMIT ?",
            arguments: ["\"\(phrase)\"", phraseLimit])
    }
}
