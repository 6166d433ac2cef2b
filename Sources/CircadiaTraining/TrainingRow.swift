/// One conversation to train on, tokenised.
public struct TrainingRow: Sendable, Equatable, Codable {
    /// Names the row in reports; never its text.
    public var id: String
    /// The whole conversation.
    public var ids: [Int32]
    /// Positions in `ids` whose tokens are to be predicted: assistant turns, end of turn included.
    /// Ascending and apart from each other.
    public var scored: [Range<Int>]
    /// Whether the row holds the adapter to the base model: its gradient is that of the KL
    /// divergence from the base model's predictions at the scored positions, not that of the
    /// tokens' own loss.
    public var keepsBase: Bool

    /// A row; `scored` may reach beyond `ids`, what lies there is ignored.
    public init(id: String, ids: [Int32], scored: [Range<Int>], keepsBase: Bool = false) {
        self.id = id
        self.ids = ids
        self.scored = scored
        self.keepsBase = keepsBase
    }

    /// The scored positions of a row cut to `length` tokens. The first token of all has nothing
    /// before it, so it is never among them.
    func targets(maxSequenceLength length: Int) -> [Int] {
        let limit = max(1, min(ids.count, length))
        return scored.flatMap { Array($0.clamped(to: 1..<limit)) }
    }
}
