import Foundation
import GRDB

/// Where a term occurs in the whole store.
struct TermPostings {
    /// In blocks that are full, and in those that may still grow.
    fileprivate(set) var full = Postings()
    fileprivate(set) var growing = Postings()

    var count: Int { full.count + growing.count }

    /// Calls `body` with every entry.
    @inline(__always)
    func forEach(_ body: (_ number: Int32, _ counts: UInt8) -> Void) {
        full.forEach(body)
        growing.forEach(body)
    }

    /// Calls `body` with the entries of some numbers.
    @inline(__always)
    func forEach(in numbers: Range<Int64>, _ body: (_ number: Int32, _ counts: UInt8) -> Void) {
        full.forEach(in: numbers, body)
        growing.forEach(in: numbers, body)
    }
}

/// The postings of words that were asked for before: common words come again in most questions, and
/// theirs take longest to read.
///
/// Only full blocks are kept, which nothing but a removal changes.
final class PostingsCache: @unchecked Sendable {
    private struct Entry {
        var full: Postings
        /// The first block that is not in it.
        var next: Int64
        var lastUse: Int
    }

    private let lock = NSLock()
    private var entries: [String: Entry] = [:]
    private var entryCount = 0
    private var removals = ""
    private var uses = 0

    /// Postings that are kept, of 5 bytes each.
    private static let capacity = 4 << 20

    /// Where each of some terms occurs, as the database has it now.
    func postings(of terms: [String], _ database: Database) throws -> [TermPostings] {
        lock.lock()
        defer { lock.unlock() }
        let current =
            try String.fetchOne(
                database.cachedStatement(
                    sql: "SELECT value FROM property WHERE name = 'removals'")) ?? ""
        if current != removals {
            (entries, entryCount, removals) = ([:], 0, current)
        }
        let newest =
            try Int64.fetchOne(
                database.cachedStatement(sql: "SELECT max(number) FROM exchange")) ?? 0
        return try terms.map {
            try postings(of: $0, growing: Postings.block(of: newest), database)
        }
    }

    private func postings(
        of term: String, growing: Int64, _ database: Database
    ) throws -> TermPostings {
        uses += 1
        var entry = entries[term] ?? Entry(full: Postings(), next: 0, lastUse: 0)
        // Taken out, so that what is added is added in place.
        entries[term] = nil
        entryCount -= entry.full.count
        var found = TermPostings()
        let rows = try Row.fetchCursor(
            database.cachedStatement(
                sql: """
                    SELECT block, entries FROM posting WHERE term = ? AND block >= ?
                    ORDER BY block
                    """), arguments: [term, entry.next])
        while let row = try rows.next() {
            let block: Int64 = row[0]
            try row.withUnsafeData(atIndex: 1) { data in
                data?.withUnsafeBytes { bytes in
                    if block < growing {
                        entry.full.append(bytes, block: block)
                    } else {
                        found.growing.append(bytes, block: block)
                    }
                }
            }
        }
        entry.next = max(entry.next, growing)
        entry.lastUse = uses
        found.full = entry.full
        keep(entry, of: term)
        return found
    }

    private func keep(_ entry: Entry, of term: String) {
        if entry.full.count == 0 || entry.full.count > Self.capacity { return }
        entryCount += entry.full.count
        while entryCount > Self.capacity,
            let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            entryCount -= oldest.value.full.count
            entries[oldest.key] = nil
        }
        entries[term] = entry
    }
}
