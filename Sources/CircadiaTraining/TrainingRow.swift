/// One conversation to train on, tokenised.
public struct TrainingRow: Sendable, Equatable {
    /// Names the row in reports; never its text.
    public var id: String
    /// The whole conversation.
    public var ids: [Int32]
    /// Positions in `ids` whose tokens are to be predicted: assistant turns, end of turn included.
    /// Ascending and apart from each other.
    public var scored: [Range<Int>]

    /// A row; `scored` may reach beyond `ids`, what lies there is ignored.
    public init(id: String, ids: [Int32], scored: [Range<Int>]) {
        self.id = id
        self.ids = ids
        self.scored = scored
    }

    /// The scored positions of a row cut to `length` tokens. The first token of all has nothing
    /// before it, so it is never among them.
    func targets(maxSequenceLength length: Int) -> [Int] {
        let limit = max(1, min(ids.count, length))
        return scored.flatMap { Array($0.clamped(to: 1..<limit)) }
    }
}
