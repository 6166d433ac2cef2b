import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation

/// Which of the person's exchanges a night trains: what is new, and a share of what was learnt before.
package struct NightSelection {
    /// Exchanges that the adapter has not learnt yet, in the log's order.
    package let new: [CleanExchange]
    /// Older ones that are rehearsed, in the log's order.
    package let replayed: [CleanExchange]
    /// Older ones that wait for another night.
    package let waiting: Int
    /// Whether something is new, or due.
    package let isDue: Bool

    /// The share of older ones, where a night has no room for more.
    package static let usualShare = 0.3

    /// Older ones in a night in which nothing is new, at most, unless its steps reach more: a day without a
    /// chat must not make the longest night.
    package static let mostWithoutNew = 128

    /// All that is trained.
    package var exchanges: [CleanExchange] { new + replayed }

    /// Chooses.
    ///
    /// - Parameters:
    ///   - exchanges: those that may train, none that is held out.
    ///   - ledger: what the adapter knows.
    ///   - share: of the older ones among all, 0 ... 1; the most urgent of those that are due. 1 takes
    ///     every older one, due or not. Where nothing is new, those that are due are taken, or
    ///     where none is, any, at most `mostWithoutNew`; with 0 none. Nil takes `usualShare`, and more where the night has room for them.
    ///   - room: exchanges that the night's steps reach in one pass; with a share it does not count.
    ///   - seed: decides between equally urgent ones.
    package init(
        _ exchanges: [CleanExchange], ledger: TrainingLedger, share: Double?, room: Int = 0,
        seed: UInt64
    ) {
        let portion = share ?? Self.usualShare
        let hashes = exchanges.map(\.hash)
        let known = exchanges.indices.filter { ledger.knows(hashes[$0]) }
        let due = known.filter { ledger.isDue(hashes[$0]) }
        let isKnown = Set(known)
        /// So many of the known ones, the most urgent, in no order.
        func mostUrgent(_ count: Int) -> [Int] {
            let order = known.map { index in
                (
                    index, ledger.urgency(of: hashes[index]),
                    StableHash.of("\(seed)/\(ledger.tonight)/\(hashes[index])")
                )
            }.sorted { ($1.1, $0.2, $0.0) < ($0.1, $1.2, $1.0) }
            return order.prefix(count).map(\.0)
        }
        new = exchanges.indices.filter { !isKnown.contains($0) }.map { exchanges[$0] }
        isDue = !new.isEmpty || !due.isEmpty
        let chosen: [Int]
        if portion >= 1 {
            chosen = known
        } else if portion <= 0 {
            chosen = []
        } else if new.isEmpty {
            chosen = mostUrgent(
                min(due.isEmpty ? known.count : due.count, max(Self.mostWithoutNew, room)))
        } else {
            let wanted = Int((Double(new.count) * portion / (1 - portion)).rounded(.up))
            // Older ones rather than further passes over a few new ones.
            let free = share == nil ? room - new.count : 0
            let count = max(min(wanted, due.count), free)
            chosen = mostUrgent(count)
        }
        replayed = chosen.sorted().map { exchanges[$0] }
        waiting = known.count - chosen.count
    }
}
