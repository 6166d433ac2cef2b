import CircadiaConversation
import Foundation
import GRDB

/// Adds exchanges to the tables that searches read: `posting` and `block`.
///
/// What is added is kept until `flush`, so that a batch touches each row once.
struct IndexWriter {
    private let database: Database
    private var entries: [Key: [(number: Int64, counts: Postings.Counts)]] = [:]
    private var columns: [Int64: Data] = [:]
    private var vectors: [Int64: Data] = [:]

    private struct Key: Hashable {
        var term: String
        var block: Int64
    }

    init(_ database: Database) { self.database = database }

    /// Adds an exchange whose number is above all others.
    mutating func add(_ words: ExchangeWords, number: Int64) {
        let block = Postings.block(of: number)
        for (term, counts) in words.counts {
            entries[Key(term: term, block: block), default: []].append((number, counts))
        }
        var exchange = words.columns
        exchange.number = number
        exchange.write(to: &columns[number / SearchIndex.blockSize, default: Data()])
    }

    /// Adds a vector of an exchange.
    mutating func add(_ vector: [Float], number: Int64, side: VectorSide) throws {
        VectorRows.append(
            QuantizedVector(vector), number: number, side: side,
            to: &vectors[number / SearchIndex.blockSize, default: Data()])
    }

    /// Writes what was added.
    mutating func flush() throws {
        let known = try database.cachedStatement(
            sql: "SELECT entries FROM posting WHERE term = ? AND block = ?")
        let put = try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO posting VALUES (?, ?, ?)")
        for (key, added) in entries {
            var blob = try Data.fetchOne(known, arguments: [key.term, key.block]) ?? Data()
            blob = Postings.appending(added, to: blob, block: key.block)
            try put.execute(arguments: [key.term, key.block, blob])
        }
        for block in Set(columns.keys).union(vectors.keys) {
            try database.execute(
                sql: """
                    INSERT INTO block VALUES (?, ?, ?) ON CONFLICT (block) DO UPDATE SET
                    columns = CAST(columns || excluded.columns AS BLOB),
                    vectors = CAST(vectors || excluded.vectors AS BLOB)
                    """, arguments: [block, columns[block] ?? Data(), vectors[block] ?? Data()])
        }
        entries = [:]
        columns = [:]
        vectors = [:]
    }

    /// Takes an exchange out of both tables.
    static func remove(
        _ exchange: Exchange, number: Int64, width: Int, _ database: Database
    ) throws {
        let block = Postings.block(of: number)
        for term in ExchangeWords(exchange).counts.keys {
            let blob = try Data.fetchOne(
                database, sql: "SELECT entries FROM posting WHERE term = ? AND block = ?",
                arguments: [term, block])
            guard let blob else { continue }
            let rest = Postings.removing(number: number, from: blob, block: block)
            if rest.isEmpty {
                try database.execute(
                    sql: "DELETE FROM posting WHERE term = ? AND block = ?",
                    arguments: [term, block])
            } else {
                try database.execute(
                    sql: "UPDATE posting SET entries = ? WHERE term = ? AND block = ?",
                    arguments: [rest, term, block])
            }
        }
        let key = number / SearchIndex.blockSize
        guard
            let row = try Row.fetchOne(
                database, sql: "SELECT columns, vectors FROM block WHERE block = ?",
                arguments: [key])
        else { return }
        let columns = IndexedExchange.removing(number: number, from: row["columns"])
        let vectors = VectorRows.removing(number: number, from: row["vectors"], width: width)
        if columns.isEmpty {
            try database.execute(sql: "DELETE FROM block WHERE block = ?", arguments: [key])
        } else {
            try database.execute(
                sql: "UPDATE block SET columns = ?, vectors = ? WHERE block = ?",
                arguments: [columns, vectors, key])
        }
    }
}
