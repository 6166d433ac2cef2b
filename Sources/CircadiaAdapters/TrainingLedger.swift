import CircadiaConversation

/// The list of exchanges that an adapter has learnt, with how often and in which of its nights. It
/// is in the adapter's own folder, so that it stays with the adapter after a rollback or a copy.
package struct TrainingLedger: Sendable, Hashable, Codable {
    /// The entry of one exchange.
    package struct Entry: Sendable, Hashable, Codable {
        /// The night that first learnt it, and the last one that trained it. The adapter's first
        /// night is 1.
        package var first, last: Int
        /// The number of nights that trained it.
        package var count: Int

        /// Makes an entry.
        package init(first: Int, last: Int, count: Int) {
            self.first = first
            self.last = last
            self.count = count
        }

        /// The number of nights after `last` at which it becomes due: 1, 2, 4, 8, 16 …
        package var interval: Int { 1 << min(max(0, count - 1), 30) }
    }

    /// The number of nights that trained the adapter since it was fresh.
    package private(set) var nights = 0
    /// The entries by the exchange's hash, as in `TrainingManifest`.
    package private(set) var entries: [ContentHash: Entry] = [:]

    /// The ledger of a fresh adapter.
    package init() {}

    /// The next night's number.
    package var tonight: Int { nights + 1 }

    /// Whether an exchange was learnt.
    package func knows(_ hash: ContentHash) -> Bool { entries[hash] != nil }

    /// How urgent the replay of an exchange is tonight: the number of its intervals that it has
    /// waited, at least 1 if it is due, 0 if it was never learnt. It grows until the exchange is
    /// replayed; after each replay it grows half as fast.
    package func urgency(of hash: ContentHash) -> Double {
        guard let entry = entries[hash] else { return 0 }
        return Double(tonight - entry.last) / Double(entry.interval)
    }

    /// Whether an exchange is due tonight.
    package func isDue(_ hash: ContentHash) -> Bool { urgency(of: hash) >= 1 }

    /// Records a night.
    ///
    /// - Parameter hashes: the exchanges that it trained.
    package mutating func note(night hashes: some Sequence<ContentHash>) {
        nights += 1
        for hash in Set(hashes) {
            var entry = entries[hash] ?? Entry(first: nights, last: nights, count: 0)
            entry.last = nights
            entry.count += 1
            entries[hash] = entry
        }
    }
}
