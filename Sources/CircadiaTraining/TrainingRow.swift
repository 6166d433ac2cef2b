/// One conversation to train on, tokenised.
package struct TrainingRow: Sendable, Equatable, Codable {
    /// Names the row in reports; never its text.
    package var id: String
    /// The whole conversation.
    package var ids: [Int32]
    /// Positions in `ids` whose tokens are to be predicted: assistant turns, end of turn included.
    /// Ascending and apart from each other.
    package var scored: [Range<Int>]
    /// Those of `scored` that hold the adapter to the base model: their gradient is that of the KL
    /// divergence from the base model's predictions, not that of the tokens' own loss. What is not
    /// scored is ignored.
    package var held: [Range<Int>]
    /// How much each scored token counts, above 0: a step's loss is the weighted mean over its scored
    /// tokens, so that a row of weight 2 counts as much as the same row twice.
    package var weight: Float
    /// How strongly `held` are held, as a share of `TrainingOptions.divergenceWeight`.
    package var pull: Float

    /// A row; `scored` may reach beyond `ids`, what lies there is ignored.
    package init(
        id: String, ids: [Int32], scored: [Range<Int>], held: [Range<Int>] = [],
        weight: Float = 1, pull: Float = 1
    ) {
        precondition(weight > 0 && weight.isFinite, "a row's weight must be positive")
        precondition(pull >= 0 && pull.isFinite, "a row's pull must not be negative")
        self.id = id
        self.ids = ids
        self.scored = scored
        self.held = held
        self.weight = weight
        self.pull = pull
    }

    /// Reads a row; a weight or pull that training cannot use is refused.
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
            held: try container.decode([Range<Int>].self, forKey: .held), weight: weight,
            pull: pull)
    }

    /// The scored positions of a row cut to `length` tokens. The first token of all has nothing
    /// before it, so it is never among them.
    func targets(maxSequenceLength length: Int) -> [Int] {
        let limit = max(1, min(ids.count, length))
        return scored.flatMap { Array($0.clamped(to: 1..<limit)) }
    }

    /// Whether a position holds to the base model.
    func isHeld(_ position: Int) -> Bool { held.contains { $0.contains(position) } }
}
