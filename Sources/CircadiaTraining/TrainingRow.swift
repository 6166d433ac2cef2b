/// One conversation to train on, as tokens.
package struct TrainingRow: Sendable, Equatable, Codable {
    /// Names the row in reports. It never contains the row's text.
    package var id: String
    /// The whole conversation.
    package var ids: [Int32]
    /// Positions in `ids` whose tokens are predicted: assistant turns, including the end of turn.
    /// The ranges are ascending and disjoint.
    package var scored: [Range<Int>]
    /// Those of `scored` that are anchored to the base model. Their gradient is that of the KL
    /// divergence from the base model's predictions, not that of the token's own loss. Positions
    /// that are not scored are ignored.
    package var anchored: [Range<Int>]
    /// The weight of each scored token, above 0. A step's loss is the weighted mean over its scored
    /// tokens, so a row of weight 2 counts as much as the same row twice.
    package var weight: Float
    /// The strength of the anchor, 0 or more, as a share of `TrainingOptions.divergenceWeight`.
    package var pull: Float

    /// The names in JSON, which stay the same if a property is renamed.
    private enum CodingKeys: String, CodingKey {
        case id, ids, scored
        case anchored = "held"
        case weight, pull
    }

    /// Creates a row. Positions of `scored` beyond `ids` are ignored.
    package init(
        id: String, ids: [Int32], scored: [Range<Int>], anchored: [Range<Int>] = [],
        weight: Float = 1, pull: Float = 1
    ) {
        precondition(weight > 0 && weight.isFinite, "a row's weight must be positive")
        precondition(pull >= 0 && pull.isFinite, "a row's pull must not be negative")
        self.id = id
        self.ids = ids
        self.scored = scored
        self.anchored = anchored
        self.weight = weight
        self.pull = pull
    }

    /// Decodes a row. It throws `DecodingError.dataCorrupted` for a weight or pull that training
    /// cannot use.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let weight = try container.decode(Float.self, forKey: .weight)
        let pull = try container.decode(Float.self, forKey: .pull)
        guard weight > 0, weight.isFinite else {
            throw DecodingError.dataCorruptedError(
                forKey: .weight, in: container, debugDescription: "not positive")
        }
        guard pull >= 0, pull.isFinite else {
            throw DecodingError.dataCorruptedError(
                forKey: .pull, in: container, debugDescription: "negative")
        }
        self.init(
            id: try container.decode(String.self, forKey: .id),
            ids: try container.decode([Int32].self, forKey: .ids),
            scored: try container.decode([Range<Int>].self, forKey: .scored),
            anchored: try container.decode([Range<Int>].self, forKey: .anchored), weight: weight,
            pull: pull)
    }

    /// The scored positions of a row cut to `length` tokens. The first token is never among them,
    /// because nothing predicts it.
    func targets(maxSequenceLength length: Int) -> [Int] {
        let limit = max(1, min(ids.count, length))
        return scored.flatMap { Array($0.clamped(to: 1..<limit)) }
    }

    /// Whether a position is anchored to the base model.
    func isAnchored(_ position: Int) -> Bool { anchored.contains { $0.contains(position) } }
}
