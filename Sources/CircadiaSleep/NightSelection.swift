import CircadiaMemory

/// Which of the person's exchanges a night trains: what is new, and a share of what was learnt before.
package struct NightSelection {
    /// Exchanges that the adapter has not learnt yet, in the log's order.
    package let new: [Exchange]
    /// Older ones that are rehearsed, in the log's order.
    package let replayed: [Exchange]
    /// Older ones that wait for another night.
    package let waiting: Int
    /// Whether something is new, or due.
    package let isDue: Bool

    /// All that is trained.
    package var exchanges: [Exchange] { new + replayed }

    /// Chooses.
    ///
    /// - Parameters:
    ///   - exchanges: those that may train, none that is held out.
    ///   - ledger: what the adapter knows.
    ///   - share: of the older ones among all, 0 ... 1; the most urgent of those that are due. 1 takes
    ///     every older one, due or not. Where nothing is new, all that are due are taken, or where none
    ///     is, all; with 0 none.
    ///   - seed: decides between equally urgent ones.
    package init(_ exchanges: [Exchange], ledger: TrainingLedger, share: Double, seed: UInt64) {
        let hashes = exchanges.map { TrainingManifest.hash(of: $0) }
        let known = exchanges.indices.filter { ledger.knows(hashes[$0]) }
        let due = known.filter { ledger.isDue(hashes[$0]) }
        let isKnown = Set(known)
        new = exchanges.indices.filter { !isKnown.contains($0) }.map { exchanges[$0] }
        isDue = !new.isEmpty || !due.isEmpty
        let chosen: [Int]
        if share >= 1 {
            chosen = known
        } else if share <= 0 {
            chosen = []
        } else if new.isEmpty {
            chosen = due.isEmpty ? known : due
        } else {
            let room = Int((Double(new.count) * share / (1 - share)).rounded(.up))
            let order = due.map { index in
                (
                    index, ledger.urgency(of: hashes[index]),
                    StableHash.of("\(seed)/\(ledger.tonight)/\(hashes[index])")
                )
            }.sorted { ($1.1, $0.2, $0.0) < ($0.1, $1.2, $1.0) }
            chosen = order.prefix(room).map(\.0)
        }
        replayed = chosen.sorted().map { exchanges[$0] }
        waiting = known.count - chosen.count
    }
}
