import Foundation
import GRDB

extension RetrievalStore {
    /// How many of the best are compared again with their vectors in f32, at least.
    private static let refinedCount = 32
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
    public func search(
        _ query: String, limit: Int = 10, now: Date? = nil
    ) throws(MemoryError) -> [Memory] {
        guard query.contains(where: { !$0.isWhitespace }) else { throw .queryEmpty }
        guard limit > 0 else { return [] }
        let terms: QuestionTerms = try reading { database in
            try QuestionTerms(SearchWords.queryTerms(in: query), database)
        }
        var vector: [Float]?
        if let embedder {
            vector = try Self.vectors(of: [terms.withoutNames(query)], by: embedder).first
        }
        return try reading { database in
            try index.withContents(database, width: vector?.count ?? 0) { contents in
                try self.search(
                    query, terms: terms, vector: vector, limit: limit, now: now, contents, database)
            }
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
        _ query: String, terms: QuestionTerms, vector: [Float]?, limit: Int, now: Date?,
        _ contents: IndexContents, _ database: Database
    ) throws -> [Memory] {
        let newest = try Int64.fetchOne(database, sql: "SELECT max(milliseconds) FROM exchange")
        let time = TimeWords(question: query, now: now ?? Self.date(newest) ?? Date())
        let relative = Set(time.relativeWords.map(SearchWords.term))
        let scorer = QuestionScorer(
            contents, side: AskedSide(names: terms.names, in: contents), time: time)
        scorer.newest = newest
        // The words of a date were understood as a time; exchanges seldom name their own.
        scorer.add(
            terms.terms.filter {
                !relative.contains($0.term)
                    && (time.interval == nil || !TimeWords.isPartOfDate($0.term))
            }.map(\.postings))
        for phrase in SearchWords.quotedPhrases(in: query) {
            scorer.add(phraseHolders: try Self.holders(of: phrase, database))
        }
        if let vector { scorer.add(vector) }
        var best = scorer.best(max(limit, Self.refinedCount))
        if let vector, scorer.hasVectors {
            for (slot, _) in best.prefix(max(limit, Self.refinedCount)) {
                try Self.refine(scorer, slot, vector, database)
            }
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

    /// Compares an exchange's vectors in f32.
    private static func refine(
        _ scorer: QuestionScorer, _ slot: Int, _ query: [Float], _ database: Database
    ) throws {
        var user: Float?
        var other: Float?
        let rows = try Row.fetchCursor(
            database.cachedStatement(
                sql: "SELECT side, components FROM vector WHERE number = ?"),
            arguments: [Int64(slot) + scorer.index.base])
        while let row = try rows.next() {
            let side = VectorSide(rawValue: row[0])
            let cosine = try row.withUnsafeData(atIndex: 1) { dot(query, $0) }
            guard let cosine else { continue }
            if side != .other { user = max(user ?? -1, cosine) }
            if side != .user { other = max(other ?? -1, cosine) }
        }
        scorer.refine(slot, user: user, other: other)
    }

    /// The dot product with components as `blob(of:)` writes them; nil where the sizes differ.
    private static func dot(_ query: [Float], _ data: Data?) -> Float? {
        guard let data, data.count == query.count * 4 else { return nil }
        return data.withUnsafeBytes { bytes in
            var sum: Float = 0
            for index in query.indices {
                let bits = bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
                sum += query[index] * Float(bitPattern: UInt32(littleEndian: bits))
            }
            return sum
        }
    }

    /// The vector that `blob(of:)` wrote.
    static func vector(of data: Data) -> [Float] {
        data.withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map { index in
                let bits = bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
                return Float(bitPattern: UInt32(littleEndian: bits))
            }
        }
    }

    /// The components as little-endian f32.
    static func blob(of vector: [Float]) -> Data {
        var data = Data(capacity: vector.count * 4)
        for value in vector {
            withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
        }
        return data
    }
}
