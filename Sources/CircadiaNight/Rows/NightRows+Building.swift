import CircadiaAnalysis
import CircadiaConversation
import CircadiaTraining

/// Builds finished rows. Each is built once, with its scored and anchored positions and its weight.
extension NightRows {
    /// The rows of the person's exchanges.
    package struct Own {
        /// The rows.
        package let rows: [TrainingRow]
        /// Rejected exchanges that the rows show as context, unscored.
        package let context: [CleanExchange]
        /// Ids of exchanges that have nothing to learn.
        package let withoutRow: Set<String>
    }

    /// The tokens of a row's replies that are scored.
    package enum Scoring: Sendable, Equatable {
        /// All tokens.
        case whole
        /// All but the first `first` tokens and the last one of every reply, because preferences
        /// decide how a reply begins and ends.
        case middle(first: Int)
        /// No tokens: the row is left out.
        case none

        /// The scoring with the fewest tokens.
        static func strictest(_ scorings: [Scoring]) -> Scoring {
            scorings.contains(.none)
                ? .none : scorings.first { $0 != .whole } ?? .whole
        }

        /// The positions of `ranges` that stay scored.
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

    /// Builds the rows of the person's exchanges and of paraphrases.
    ///
    /// - Parameter exchanges: each exchange with its scoring.
    /// - Returns: the rows, their context, and the exchanges without a row.
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

    /// Builds the rows of general texts.
    ///
    /// - Parameters:
    ///   - exchanges: exchanges and prose.
    ///   - anchored: whether they are anchored to the base model instead of learning their words.
    ///   - scoring: the tokens that are scored.
    /// - Returns: the rows.
    package func general(
        _ exchanges: [CleanExchange], anchored: Bool, scoring: Scoring
    ) -> [TrainingRow] {
        rows(exchanges).rows.compactMap { $0.scoring(scoring, anchoring: anchored) }
    }

    /// Builds the rows of pairs for preferences that are only measured.
    package func measured(_ pairs: [PreferenceDistiller.Pair]) -> [TrainingRow] {
        pairs.flatMap { pair in
            rows([pair.exchange]).rows.map { row in
                TrainingRow(
                    id: row.id, ids: row.ids, scored: pair.scored(of: row),
                    anchored: row.anchored, weight: row.weight, pull: row.pull)
            }
        }
    }

    /// Builds the rows of pairs for preferences to train on.
    ///
    /// A row learns only the tokens that are unlikely under the base model, which does not know the
    /// preference. At the other tokens it is anchored to the base model. Training on full answers
    /// would make the model overconfident; without the anchor it would put closings in wrong
    /// places.
    ///
    /// - Parameters:
    ///   - pairs: the pairs.
    ///   - pull: the weight of the anchor (`TrainingRow.pull`).
    ///   - losses: the base model's loss in nats for each scored token of a row
    ///     (`AdaptedModel.losses`).
    /// - Returns: the rows, each as often as it is shown.
    package func learnt(
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

    /// How often each of `count` pairs is shown in a pass: 3 times, because a few short answers
    /// teach little, but fewer if that would be more than 144 rows.
    package static func passes(ofPairs count: Int) -> Int {
        min(3, max(1, 144 / max(1, count)))
    }

    /// The positions of tokens that are likely under the base model.
    ///
    /// - Parameter losses: the base model's loss for each scored token, in nats.
    /// - Returns: the positions, in ascending ranges.
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

    /// The loss in nats above which a token is unlikely under the base model: a probability below
    /// 1/5.
    private static let surprise: Float = 1.609
}

extension PreferenceDistiller.Pair {
    /// The learnt positions of its row: without the end of the turn if the answer was cut.
    fileprivate func scored(of row: TrainingRow) -> [Range<Int>] {
        guard isOpen, let last = row.scored.last else { return row.scored }
        return row.scored.dropLast() + (last.count > 1 ? [last.dropLast()] : [])
    }
}

extension TrainingRow {
    /// The same row with fewer scored positions.
    ///
    /// - Parameters:
    ///   - scoring: the tokens that stay scored.
    ///   - anchoring: whether it is anchored to the base model.
    /// - Returns: the row; nil if no position stays scored.
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
