import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation

/// Chooses which of the person's exchanges a night trains: new ones, and a share of those learnt
/// before.
package struct NightSelection {
    /// Exchanges that the adapter has not learnt yet, in the log's order.
    package let new: [CleanExchange]
    /// Older exchanges that are replayed, in the log's order.
    package let replayed: [CleanExchange]
    /// The number of older exchanges that wait for another night.
    package let waiting: Int
    /// Whether any exchange is new or due.
    package let isDue: Bool

    /// The default share of older exchanges, if a night has no room for more.
    package static let usualShare = 0.3

    /// The most older exchanges of a night in which nothing is new, unless its steps reach more. A
    /// day without a chat must not make the longest night.
    package static let mostWithoutNew = 128

    /// All exchanges that are trained.
    package var exchanges: [CleanExchange] { new + replayed }

    /// Chooses the exchanges.
    ///
    /// - Parameters:
    ///   - exchanges: the exchanges that may train, without held-out ones.
    ///   - ledger: the exchanges that the adapter has learnt.
    ///   - share: the share of older exchanges among all, 0 ... 1; the most urgent due ones are
    ///     taken. 1 takes every older one, due or not; 0 takes none. If nothing is new, due ones
    ///     are taken, or any if none is due, at most `mostWithoutNew`. Nil takes `usualShare`, and
    ///     more if the night has room.
    ///   - room: exchanges that the night's steps reach in one pass. If a share is given and
    ///     something is new, it is not used.
    ///   - seed: decides between equally urgent exchanges.
    package init(
        _ exchanges: [CleanExchange], ledger: TrainingLedger, share: Double?, room: Int = 0,
        seed: UInt64
    ) {
        let portion = share ?? Self.usualShare
        let hashes = exchanges.map(\.hash)
        let known = exchanges.indices.filter { ledger.knows(hashes[$0]) }
        let due = known.filter { ledger.isDue(hashes[$0]) }
        let isKnown = Set(known)
        /// Indices of the `count` most urgent known exchanges, unordered.
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
            // Older exchanges are better than more passes over a few new ones.
            let free = share == nil ? room - new.count : 0
            let count = max(min(wanted, due.count), free)
            chosen = mostUrgent(count)
        }
        replayed = chosen.sorted().map { exchanges[$0] }
        waiting = known.count - chosen.count
    }
}
