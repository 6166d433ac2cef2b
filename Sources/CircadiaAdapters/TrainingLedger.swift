import CircadiaConversation

/// Which exchanges an adapter has learnt, how often, and in which of its nights last. It is kept in the
/// adapter's own folder, so that it follows the adapter wherever it goes: back, forth, or away.
package struct TrainingLedger: Sendable, Hashable, Codable {
    /// What is known of one exchange.
    package struct Entry: Sendable, Hashable, Codable {
        /// The night that learnt it first, and the one that rehearsed it last; the adapter's first night
        /// is 1.
        package var first, last: Int
        /// Nights that trained it.
        package var count: Int

        /// An entry.
        package init(first: Int, last: Int, count: Int) {
            self.first = first
            self.last = last
            self.count = count
        }

        /// Nights after `last` from which on it is due: 1, 2, 4, 8, 16 …
        package var interval: Int { 1 << min(max(0, count - 1), 30) }
    }

    /// Nights that the adapter has gone through since it was fresh.
    package private(set) var nights = 0
    /// By the exchange's hash, as in `TrainingManifest`.
    package private(set) var entries: [ContentHash: Entry] = [:]

    /// The ledger of a fresh adapter.
    package init() {}

    /// The next night's number.
    package var tonight: Int { nights + 1 }

    /// Whether an exchange was learnt.
    package func knows(_ hash: ContentHash) -> Bool { entries[hash] != nil }

    /// How urgent it is to rehearse an exchange tonight: for how many of its intervals it has waited, at
    /// least 1 where it is due. It grows until the exchange is rehearsed, and each rehearsal halves what
    /// a night adds. 0 for one that was never learnt.
    package func urgency(of hash: ContentHash) -> Double {
        guard let entry = entries[hash] else { return 0 }
        return Double(tonight - entry.last) / Double(entry.interval)
    }

    /// Whether an exchange is to be rehearsed tonight.
    package func isDue(_ hash: ContentHash) -> Bool { urgency(of: hash) >= 1 }

    /// Notes a night.
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
