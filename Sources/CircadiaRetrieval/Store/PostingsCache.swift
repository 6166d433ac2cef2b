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
/// Full blocks are kept, which nothing but a removal changes, and those that may still grow until
/// something was added.
///
/// `@unchecked Sendable`: a lock guards all that changes.
final class PostingsCache: @unchecked Sendable {
    private struct Entry {
        var found = TermPostings()
        /// The first block that is not in `found.full`.
        var next: Int64 = 0
        /// The newest exchange when it was read; numbers only ascend.
        var newest: Int64 = -1
        var lastUse = 0
    }

    private let lock = NSLock()
    private var entries: [String: Entry] = [:]
    private var entryCount = 0
    private var removals = ""
    private var uses = 0

    /// Postings that are kept, of 5 bytes each.
    private static let capacity = 4 << 20
    /// A term counts as much in it as so many postings, that those without any cannot fill the memory.
    private static let termSize = 16

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
        return try terms.map { try postings(of: $0, newest: newest, database) }
    }

    private func postings(
        of term: String, newest: Int64, _ database: Database
    ) throws -> TermPostings {
        uses += 1
        if let index = entries.index(forKey: term), entries.values[index].newest == newest {
            entries.values[index].lastUse = uses
            return entries.values[index].found
        }
        // Taken out, so that what is added is added in place.
        var entry = Entry()
        if let known = entries.removeValue(forKey: term) {
            entryCount -= Self.size(known)
            entry = known
        }
        entry.found.growing = Postings()
        let growing = Postings.block(of: newest)
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
                        entry.found.full.append(bytes, block: block)
                    } else {
                        entry.found.growing.append(bytes, block: block)
                    }
                }
            }
        }
        entry.next = max(entry.next, growing)
        entry.newest = newest
        entry.lastUse = uses
        keep(entry, of: term)
        return entry.found
    }

    private static func size(_ entry: Entry) -> Int { entry.found.count + termSize }

    private func keep(_ entry: Entry, of term: String) {
        let size = Self.size(entry)
        if size > Self.capacity { return }
        entryCount += size
        while entryCount > Self.capacity {
            // The older half at once: to look for the oldest each time would be a pass over all terms.
            let uses = entries.values.map(\.lastUse).sorted()
            let middle = uses[uses.count / 2]
            for (term, old) in entries where old.lastUse <= middle {
                entryCount -= Self.size(old)
                entries[term] = nil
            }
        }
        entries[term] = entry
    }
}
