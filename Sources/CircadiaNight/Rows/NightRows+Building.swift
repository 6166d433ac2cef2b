import CircadiaAnalysis
import CircadiaConversation
import CircadiaTraining

/// Makes finished rows: each is built once, with what of it is scored, anchored and weighted.
extension NightRows {
    /// The rows of the person's exchanges.
    package struct Own {
        /// The rows.
        package let rows: [TrainingRow]
        /// Rejected exchanges that the rows show as what came before, unscored.
        package let context: [CleanExchange]
        /// Ids of exchanges in which nothing can be learnt.
        package let withoutRow: Set<String>
    }

    /// Which tokens of a row's replies are scored.
    package enum Scoring: Sendable, Equatable {
        /// All of them.
        case whole
        /// All but the first `first` tokens and the last one of every reply: how a reply begins and ends
        /// is the person's to say.
        case middle(first: Int)
        /// None: the row is left out.
        case none

        /// The one of several that scores least.
        static func strictest(_ scorings: [Scoring]) -> Scoring {
            scorings.contains(.none)
                ? .none : scorings.first { $0 != .whole } ?? .whole
        }

        /// The scored positions that are left of `ranges`.
        func apply(to ranges: [Range<Int>]) -> [Range<Int>] {
            switch self {
            case .whole: return ranges
            case .none: return []
            case .middle(let first):
                return ranges.compactMap { range in
                    let middle = range.dropFirst(first).dropLast()
                    return middle.isEmpty ? nil : middle
                }
            }
        }
    }

    /// The rows of exchanges of the person and of paraphrases.
    ///
    /// - Parameter exchanges: each with what of it may be scored.
    package func own(_ exchanges: [(exchange: CleanExchange, scoring: Scoring)]) -> Own {
        let (rows, context) = self.rows(exchanges.map(\.exchange))
        let scorings = Dictionary(grouping: exchanges, by: \.exchange.id)
            .mapValues { Scoring.strictest($0.map(\.scoring)) }
        let dropped = scorings.filter { $0.value == .none }.keys
        var rowScorings: [String: Scoring] = [:]
        for (id, scoring) in scorings {
            for row in RowID.ownRows(of: id) { rowScorings[row.description] = scoring }
        }
        return Own(
            rows: rows.compactMap { row in
                row.scoring(rowScorings[row.id] ?? .whole, anchoring: false)
            }, context: context,
            withoutRow: Set(exchanges.map(\.exchange.id)).subtracting(rows.map(\.id))
                .union(dropped))
    }

    /// The rows of general texts.
    ///
    /// - Parameters:
    ///   - exchanges: exchanges and prose.
    ///   - anchored: whether they keep to the base model's predictions rather than learn their words.
    ///   - scoring: what of them is scored.
    package func general(
        _ exchanges: [CleanExchange], anchored: Bool, scoring: Scoring
    ) -> [TrainingRow] {
        rows(exchanges).rows.compactMap { $0.scoring(scoring, anchoring: anchored) }
    }

    /// The rows of pairs for preferences that are only measured.
    func measured(_ pairs: [PreferenceDistiller.Pair]) -> [TrainingRow] {
        pairs.flatMap { pair in
            rows([pair.exchange]).rows.map { row in
                TrainingRow(
                    id: row.id, ids: row.ids, scored: pair.scored(of: row),
                    anchored: row.anchored, weight: row.weight, pull: row.pull)
            }
        }
    }

    /// The rows of pairs for preferences to train on.
    ///
    /// A row learns only the tokens that the base model, which does not know of the preference, would
    /// hardly have said, and is anchored to the base model at the others. Training on full answers would
    /// make the model overconfident, and without an anchor it would not learn where a closing does not
    /// belong.
    ///
    /// - Parameters:
    ///   - pairs: the pairs.
    ///   - pull: how strongly they are anchored where they are not learnt (`TrainingRow.pull`).
    ///   - losses: the base model's for each scored token of a row (`AdaptedModel.losses`).
    func learnt(
        _ pairs: [PreferenceDistiller.Pair], pull: Float,
        losses: (TrainingRow) -> [(position: Int, nats: Float)]
    ) -> [TrainingRow] {
        let rows = measured(pairs).map { row in
            TrainingRow(
                id: row.id, ids: row.ids, scored: row.scored,
                anchored: Self.unsurprising(losses(row)), weight: row.weight, pull: pull)
        }
        return Array(repeating: rows, count: Self.passes(ofPairs: pairs.count)).flatMap { $0 }
    }

    /// Times that each of `count` pairs is shown when others are shown once: 3, as few short answers say
    /// little of a manner, but once where these would be more than 144 rows.
    package static func passes(ofPairs count: Int) -> Int {
        min(3, max(1, 144 / max(1, count)))
    }

    /// The positions of tokens that the base model would have said by itself.
    ///
    /// - Parameter losses: the base model's for each scored token, nats.
    package static func unsurprising(
        _ losses: [(position: Int, nats: Float)]
    ) -> [Range<Int>] {
        losses.filter { $0.nats <= surprise }.reduce(into: []) { ranges, token in
            let end = token.position + 1
            if let last = ranges.last, last.upperBound == token.position {
                ranges[ranges.count - 1] = last.lowerBound..<end
            } else {
                ranges.append(token.position..<end)
            }
        }
    }

    /// Nats above which the base model would hardly have said a token: it has a chance below one in five.
    private static let surprise: Float = 1.609
}

extension PreferenceDistiller.Pair {
    /// What of its row is learnt: of an answer that was cut, not the end of the turn.
    fileprivate func scored(of row: TrainingRow) -> [Range<Int>] {
        guard isOpen, let last = row.scored.last else { return row.scored }
        return row.scored.dropLast() + (last.count > 1 ? [last.dropLast()] : [])
    }
}

extension TrainingRow {
    /// The same row with less of it scored; nil where nothing is left.
    ///
    /// - Parameter anchoring: whether it is anchored to the base model.
    fileprivate func scoring(
        _ scoring: NightRows.Scoring, anchoring: Bool
    ) -> TrainingRow? {
        let left = scoring.apply(to: scored)
        guard !left.isEmpty else { return nil }
        return TrainingRow(
            id: id, ids: ids, scored: left, anchored: anchoring ? scored : anchored,
            weight: weight, pull: pull)
    }
}
