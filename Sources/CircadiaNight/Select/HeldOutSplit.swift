import CircadiaAnalysis

/// Splits exchanges into those to learn from and those that are only measured.
///
/// The split is by conversation, so that no part of a conversation leaks into training. It uses a
/// stable hash of the conversation's name, so that a conversation that is held out tonight is held
/// out every night.
package struct HeldOutSplit: Sendable {
    /// Exchanges that are trained on.
    package let training: [CleanExchange]
    /// Exchanges that are never trained on.
    package let heldOut: [CleanExchange]

    /// Splits `exchanges`, keeping their order.
    ///
    /// - Parameters:
    ///   - exchanges: the exchanges of a log, in its order.
    ///   - share: the expected share of held-out conversations, 0 ..< 1; 0 holds out none. With two
    ///     or more conversations, at least one is held out and one is trained on. A log of a single
    ///     conversation is split by exchange in the same way.
    package init(_ exchanges: [CleanExchange], share: Double) {
        let conversations = Set(exchanges.compactMap(\.exchange.session))
        func unit(_ clean: CleanExchange) -> String {
            conversations.count > 1 ? clean.exchange.session ?? clean.id : clean.id
        }
        let units = Set(exchanges.map(unit)).sorted {
            (StableHash.of($0), $0) < (StableHash.of($1), $1)
        }
        guard share > 0, units.count > 1 else {
            training = exchanges
            heldOut = []
            return
        }
        var chosen = Set(units.filter { StableHash.fraction(of: $0) < share })
        if chosen.isEmpty { chosen = [units[0]] }
        if chosen.count == units.count { chosen.remove(units[units.count - 1]) }
        training = exchanges.filter { !chosen.contains(unit($0)) }
        heldOut = exchanges.filter { chosen.contains(unit($0)) }
    }

    /// The most exchanges that a night measures, so that judging does not take longer every year.
    package static let mostMeasured = 100

    /// The held-out exchanges that a night measures: the latest ones that the adapter has not
    /// learnt, or the latest of all if it has learnt all of them. It may have learnt some while the
    /// log had a single conversation.
    ///
    /// - Parameter isKnown: whether the adapter has learnt an exchange.
    /// - Returns: in the log's order, at most `mostMeasured`.
    package func measured(isKnown: (CleanExchange) -> Bool) -> [CleanExchange] {
        let unseen = heldOut.filter { !isKnown($0) }
        return Array((unseen.isEmpty ? heldOut : unseen).suffix(Self.mostMeasured))
    }
}
