import CircadiaAnalysis
import CircadiaConversation
import Foundation
import GRDB

extension RetrievalStore {
    /// What an ingest did.
    package struct IngestReport: Sendable, Hashable {
        /// Exchanges that were new.
        package internal(set) var added = 0
        /// Exchanges whose id was there with other contents, which were replaced.
        package internal(set) var replaced = 0
        /// Exchanges that were there already.
        package internal(set) var alreadyThere = 0
        /// Exchanges that the policy left out.
        package internal(set) var notSelected = 0
        /// Texts that were embedded: an exchange has one, a long one several.
        package internal(set) var embedded = 0
    }

    /// Exchanges that are embedded and written together.
    package static let batchSize = 64

    /// Puts exchanges into the store. What is there already is neither stored nor embedded again,
    /// so a repeated or interrupted ingest only does what is left.
    ///
    /// - Parameters:
    ///   - exchanges: in the order in which they happened; neighbours in a session give each
    ///     other context.
    ///   - policy: which of them go in.
    ///   - keepingSecrets: whether keys, passwords and numbers of accounts go in as they are.
    ///   - progress: called after each batch with the number of exchanges looked at; ingesting
    ///     stops, keeping what is done, when it returns false.
    /// - Returns: what was done.
    /// - Throws: `storeFailed` and its kin, `embeddingFailed`, `embeddingShape`.
    @discardableResult
    package func ingest(
        _ exchanges: [CleanExchange], policy: StorePolicy, keepingSecrets: Bool = false,
        progress: (_ done: Int, _ total: Int) -> Bool = { _, _ in true }
    ) throws -> IngestReport {
        var report = IngestReport()
        var start = 0
        while start < exchanges.count {
            let batch = exchanges[start..<min(start + Self.batchSize, exchanges.count)]
            start = batch.endIndex
            try ingest(
                batch: Self.prepared(
                    batch, policy: policy, keepingSecrets: keepingSecrets, into: &report),
                into: &report)
            if !progress(start, exchanges.count) { break }
        }
        try embedMissing(into: &report)
        return report
    }

    /// Takes in exchanges of another store, which were chosen and cleaned when they went there.
    package func takeIn(_ exchanges: [Exchange]) throws {
        let chosen = exchanges.filter(StorePolicy.isStorable)
        var report = IngestReport()
        for start in stride(from: 0, to: chosen.count, by: Self.batchSize) {
            let batch = chosen[start..<min(start + Self.batchSize, chosen.count)]
            try ingest(batch: batch.map(PreparedExchange.init(stored:)), into: &report)
        }
        try embedMissing(into: &report)
    }

    /// Those of a batch that go in, as they go in.
    static func prepared(
        _ batch: ArraySlice<CleanExchange>, policy: StorePolicy, keepingSecrets: Bool,
        into report: inout IngestReport
    ) -> [PreparedExchange] {
        let chosen = batch.filter(policy.accepts)
        report.notSelected += batch.count - chosen.count
        return chosen.map { PreparedExchange($0, keepingSecrets: keepingSecrets) }
    }

    private func ingest(
        batch: [PreparedExchange], into report: inout IngestReport
    ) throws {
        let known: Set<String> = try reading { database in
            try Set(batch.filter { try Self.isThere($0, database) }.map(\.exchange.id))
        }
        var new: [PreparedExchange] = []
        for prepared in batch where !known.contains(prepared.exchange.id) {
            new.append(prepared)
        }
        report.alreadyThere += batch.count - new.count
        if new.isEmpty { return }
        // Embedding takes long: it happens before the transaction, not inside.
        let vectors = try embed(new.map(\.exchange))
        try write(
            new, vectors, embedder: embedder.map(Self.signature(of:)), into: &report)
    }

    /// Writes exchanges, which are new or were when they were looked for, with their vectors.
    func write(
        _ new: [PreparedExchange], _ vectors: [[VectorPiece]]?, embedder: String?,
        into report: inout IngestReport
    ) throws {
        var outcome = report
        let words = ExchangeWords.all(of: new.map(\.exchange))
        try writing { database in
            outcome = report
            try Self.recordEmbedder(embedder, database)
            var writer = IndexWriter(database)
            for (index, prepared) in new.enumerated() {
                // Another program may have added it meanwhile.
                if try Self.isThere(prepared, database) {
                    outcome.alreadyThere += 1
                    continue
                }
                // Two of a batch may have one id: what is to be removed must be written.
                if try Self.hasID(prepared.exchange.id, database) { try writer.flush() }
                let isReplaced = try Self.remove(id: prepared.exchange.id, database)
                if isReplaced { outcome.replaced += 1 } else { outcome.added += 1 }
                let number = try Self.insert(prepared, words[index], &writer, database)
                for (part, piece) in (vectors?[index] ?? []).enumerated() {
                    try Self.insert(piece, number: number, part: part, &writer, database)
                    outcome.embedded += 1
                }
            }
            try writer.flush()
        }
        report = outcome
    }

    /// Embeds what an ingest without an embedder left without vectors.
    private func embedMissing(into report: inout IngestReport) throws {
        guard embedder != nil else { return }
        while true {
            let missing: [(number: Int64, exchange: Exchange)] = try reading { database in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT * FROM exchange WHERE number NOT IN (SELECT number FROM vector)
                        ORDER BY number LIMIT ?
                        """, arguments: [Self.batchSize]
                ).map { ($0["number"], try Self.exchange($0)) }
            }
            if missing.isEmpty { return }
            guard let vectors = try embed(missing.map(\.exchange)) else { return }
            var count = 0
            try writing { database in
                count = 0
                try Self.recordEmbedder(self.embedder.map(Self.signature(of:)), database)
                var writer = IndexWriter(database)
                for ((number, exchange), pieces) in zip(missing, vectors) {
                    // Another program may have removed it or embedded it meanwhile.
                    guard try Self.lacksVectors(number, id: exchange.id, database) else { continue }
                    for (part, piece) in pieces.enumerated() {
                        try Self.insert(piece, number: number, part: part, &writer, database)
                        count += 1
                    }
                }
                try writer.flush()
                try Self.countRemoval(database)
            }
            report.embedded += count
        }
    }

    private static func lacksVectors(
        _ number: Int64, id: String, _ database: Database
    ) throws -> Bool {
        try Bool.fetchOne(
            database,
            sql: """
                SELECT EXISTS (SELECT 1 FROM exchange WHERE number = ? AND id = ?)
                AND NOT EXISTS (SELECT 1 FROM vector WHERE number = ?)
                """, arguments: [number, id, number]) ?? false
    }

    /// The vectors of the pieces of what each side of each exchange said; nil without an embedder.
    private func embed(_ exchanges: [Exchange]) throws -> [[VectorPiece]]? {
        guard let embedder else { return nil }
        return try Self.pieces(of: exchanges, by: embedder)
    }

    /// The pieces of what each side of an exchange said: at least one.
    static func texts(of exchange: Exchange) -> [(side: VectorSide, text: String)] {
        let sides: [(VectorSide, Bool)] = [(.user, true), (.other, false)]
        let pieces = sides.flatMap { side, byUser in
            TextPieces.pieces(of: IndexedExchange.spoken(exchange, byUser: byUser))
                .map { (side, $0) }
        }
        return pieces.isEmpty ? [(.whole, "")] : pieces
    }

    /// The vectors of the pieces of exchanges.
    static func pieces(
        of exchanges: [Exchange], by embedder: any TextEmbedding
    ) throws -> [[VectorPiece]] {
        let texts = exchanges.map(Self.texts)
        var flat = try Self.vectors(of: texts.flatMap { $0.map(\.text) }, by: embedder)[...]
        return texts.map { pieces in
            defer { flat = flat.dropFirst(pieces.count) }
            return zip(pieces, flat).map { ($0.side, $1) }
        }
    }

    static func vectors(
        of texts: [String], by embedder: any TextEmbedding
    ) throws -> [[Float]] {
        let vectors: [[Float]]
        do {
            vectors = try embedder.embed(texts)
        } catch {
            throw RetrievalError.embeddingFailed(detail: String(describing: error))
        }
        guard vectors.count == texts.count,
            vectors.allSatisfy({ $0.count == embedder.dimension })
        else {
            throw RetrievalError.embeddingShape(
                expectedCount: texts.count, count: vectors.count, dimension: embedder.dimension)
        }
        return vectors
    }

    static func vector(
        ofQuestion question: String, by embedder: any TextEmbedding
    ) throws -> [Float] {
        let vector: [Float]
        do {
            vector = try embedder.embed(question: question)
        } catch {
            throw RetrievalError.embeddingFailed(detail: String(describing: error))
        }
        guard vector.count == embedder.dimension else {
            throw RetrievalError.embeddingShape(
                expectedCount: 1, count: 1, dimension: embedder.dimension)
        }
        return vector
    }

    // MARK: Rows

    static func isThere(
        _ prepared: PreparedExchange, _ database: Database
    ) throws -> Bool {
        try Bool.fetchOne(
            database, sql: "SELECT EXISTS (SELECT 1 FROM exchange WHERE contentHash = ?)",
            arguments: [prepared.contentHash.rawValue]) ?? false
    }

    private static func recordEmbedder(
        _ signature: String?, _ database: Database
    ) throws {
        guard let signature else { return }
        try database.execute(
            sql: "INSERT OR IGNORE INTO property VALUES ('embedder', ?)", arguments: [signature])
    }

    private static func hasID(_ id: String, _ database: Database) throws -> Bool {
        try Bool.fetchOne(
            database, sql: "SELECT EXISTS (SELECT 1 FROM exchange WHERE id = ?)", arguments: [id])
            ?? false
    }

    private static func insert(
        _ piece: VectorPiece, number: Int64, part: Int, _ writer: inout IndexWriter,
        _ database: Database
    ) throws {
        try database.cachedStatement(
            sql: "INSERT INTO vector(number, part, components, side) VALUES (?, ?, ?, ?)"
        ).execute(arguments: [
            number, part, StoredVector.bytes(of: piece.vector), piece.side.rawValue,
        ])
        try writer.add(piece.vector, number: number, side: piece.side)
    }

    private static func insert(
        _ prepared: PreparedExchange, _ words: ExchangeWords, _ writer: inout IndexWriter,
        _ database: Database
    ) throws -> Int64 {
        let exchange = prepared.exchange
        try database.execute(
            sql: """
                INSERT INTO exchange (id, session, milliseconds, messages, transcript, model,
                    adapter, tags, contentHash, namesTime)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                exchange.id, exchange.session, milliseconds(exchange.timestamp),
                try json(exchange.messages),
                prepared.transcript, exchange.model, exchange.adapter, try json(exchange.tags),
                prepared.contentHash.rawValue,
                words.columns.userNamesTime || words.columns.otherNamesTime,
            ])
        let number = database.lastInsertedRowID
        try database.execute(
            sql: "INSERT INTO searchText(rowid, transcript) VALUES (?, ?)",
            arguments: [number, prepared.transcript])
        writer.add(words, number: number)
        return number
    }

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
