import CircadiaKernels

/// Rows of a micro-batch, packed into one sequence.
///
/// Each row sees only itself, and its positions start at 0. Nothing is padded. A prefix that all
/// rows share is stored once, at the front. Tokens after the last scored token are left out. Rows
/// with tokens anchored to the base model come last. Within both kinds, rows of equal weight stand
/// together.
final class PackedBatch {
    /// `[tokens]`, all rows.
    private(set) var ids: [Int32] = []
    /// `[tokens]`: the position inside the row.
    private(set) var positions = AlignedBuffer<Int32>(count: 0)
    /// `[tokens]`: where the token's row begins, without the shared prefix.
    private(set) var firstKey = AlignedBuffer<Int32>(count: 0)
    /// Length of the prefix that every row begins with; 0 if none is shared.
    private(set) var shared = 0
    /// `[tokens]`: `shared` for tokens after the prefix. It is 0 for tokens of the prefix, which
    /// are their own row.
    private(set) var sharedEnd = AlignedBuffer<Int32>(count: 0)
    /// Tokens whose successor is scored, row after row: first the tokens with a cross-entropy loss,
    /// then the anchored ones.
    private(set) var scoredTokens: [Int] = []
    /// The successor of each of `scoredTokens`.
    private(set) var targets: [Int32] = []
    /// How many of `scoredTokens` have a cross-entropy loss.
    private(set) var learningCount = 0
    /// Stretches of `scoredTokens` with one weight and one pull, in order: those with a
    /// cross-entropy loss, then the anchored ones.
    private(set) var stretches: [(end: Int, weight: Float, pull: Float)] = []
    /// The input of the base model's head at anchored tokens: `[tokens, hidden]` for each row.
    private(set) var anchors: [FloatBuffer] = []

    /// Number of tokens that pass through the model.
    var tokens: Int { ids.count }

    /// Replaces the contents. Every row must have a target.
    func pack(_ given: some Sequence<PreparedRow>, _ options: TrainingOptions) {
        let rows = Self.grouped(given)
        anchors = rows.compactMap(\.anchor)
        ids.removeAll(keepingCapacity: true)
        scoredTokens.removeAll(keepingCapacity: true)
        targets.removeAll(keepingCapacity: true)
        stretches.removeAll(keepingCapacity: true)
        let size = PackedSize(rows, options: options)
        shared = size.shared
        if positions.count < size.tokens {
            positions = AlignedBuffer(count: size.tokens)
            firstKey = AlignedBuffer(count: size.tokens)
            sharedEnd = AlignedBuffer(count: size.tokens)
        }
        if let first = rows.first { append(first, 0..<shared, sharedEnd: 0) }
        var starts: [Int] = []
        for row in rows {
            starts.append(ids.count - shared)
            append(row, shared..<row.length, sharedEnd: Int32(shared))
        }
        for (row, start) in zip(rows, starts) {
            score(row.learnt, of: row, start: start, pull: 1, from: 0)
        }
        learningCount = targets.count
        for (row, start) in zip(rows, starts) where row.anchor != nil {
            score(row.anchored, of: row, start: start, pull: row.pull, from: learningCount)
        }
    }

    /// Scores a row's positions. They extend the last stretch if it begins at or after `first` and
    /// has the row's weight and pull.
    private func score(
        _ positions: [Int], of row: PreparedRow, start: Int, pull: Float, from first: Int
    ) {
        guard !positions.isEmpty else { return }
        if let last = stretches.last, last.end > first, last.weight == row.weight, last.pull == pull
        {
            stretches.removeLast()
        }
        for position in positions {
            scoredTokens.append(start + position - 1)
            targets.append(row.ids[position])
        }
        stretches.append((targets.count, row.weight, pull))
    }

    /// Rows without anchors, then rows with anchors. In both, weight 1 comes first and then the
    /// other weights in ascending order.
    private static func grouped(_ rows: some Sequence<PreparedRow>) -> [PreparedRow] {
        let kinds = [rows.filter { $0.anchor == nil }, rows.filter { $0.anchor != nil }]
        return kinds.flatMap { rows -> [PreparedRow] in
            var weights = rows.map(\.weight).filter { $0 != 1 }
            weights = Set(weights).sorted()
            return ([1] + weights).flatMap { weight in rows.filter { $0.weight == weight } }
        }
    }

    private func append(_ row: PreparedRow, _ part: Range<Int>, sharedEnd end: Int32) {
        let start = ids.count
        for (index, position) in part.enumerated() {
            positions[start + index] = Int32(position)
            firstKey[start + index] = Int32(start)
            sharedEnd[start + index] = end
        }
        ids.append(contentsOf: row.ids[part])
    }
}

/// A row, checked and prepared for training.
struct PreparedRow {
    /// `TrainingRow.id`.
    let id: String
    let ids: [Int32]
    /// Scored positions, at least one.
    let targets: [Int]
    /// Number of tokens that the model reads: all before the last target.
    let length: Int
    /// Those of `targets` that are anchored to the base model.
    let anchored: [Int]
    /// The weight of each target.
    let weight: Float
    /// The strength of the anchor, as a share of the options' divergence weight.
    let pull: Float
    /// The input of the base model's head at the anchored tokens: `[anchored, hidden]`. Nil if none
    /// is anchored or it is not computed yet.
    var anchor: FloatBuffer?
    /// The key of an anchor: rows with equal keys share one. Nil if no token is anchored.
    var anchorKey: AnchorKey? { anchored.isEmpty ? nil : AnchorKey(ids: ids, anchored: anchored) }

    struct AnchorKey: Hashable {
        let ids: [Int32]
        let anchored: [Int]
    }

    /// Targets with a cross-entropy loss: all targets if the row has no anchor.
    var learnt: [Int] {
        guard anchor != nil else { return targets }
        let anchored = Set(anchored)
        return targets.filter { !anchored.contains($0) }
    }

    /// Prepares a row; nil if it has no token to train on.
    ///
    /// - Throws: `TrainingError.unknownToken`.
    init?(
        _ row: TrainingRow, maxSequenceLength: Int, vocabularySize: Int
    ) throws(TrainingError) {
        let targets = row.targets(maxSequenceLength: maxSequenceLength)
        guard let last = targets.last else { return nil }
        for (position, id) in row.ids.prefix(last + 1).enumerated()
        where id < 0 || Int(id) >= vocabularySize {
            throw .unknownToken(
                row: row.id, position: position, id: id, vocabularySize: vocabularySize)
        }
        id = row.id
        ids = row.ids
        self.targets = targets
        length = last
        anchored = targets.filter(row.isAnchored)
        weight = row.weight
        pull = row.pull
    }

    /// Prepares rows and skips those without a token to train on.
    ///
    /// - Throws: `TrainingError.unknownToken`.
    static func prepare(
        _ rows: [TrainingRow], options: TrainingOptions, vocabularySize: Int
    ) throws(TrainingError) -> [PreparedRow] {
        var prepared: [PreparedRow] = []
        for row in rows {
            if let ready = try PreparedRow(
                row, maxSequenceLength: options.maxSequenceLength, vocabularySize: vocabularySize)
            {
                prepared.append(ready)
            }
        }
        return prepared
    }

    /// The row with padding after it.
    func padded(to length: Int) -> PreparedRow {
        PreparedRow(self, length: length)
    }

    private init(_ row: PreparedRow, length: Int) {
        id = row.id
        // The model does not read the last target, but the loss looks it up.
        ids = row.ids.prefix(row.length + 1) + Array(repeating: 0, count: length - row.length)
        targets = row.targets
        self.length = length
        anchored = row.anchored
        weight = row.weight
        pull = row.pull
        anchor = row.anchor
    }

    /// Cuts rows into micro-batches, in order. Each has at most `options.maxTokensPerMicroBatch`
    /// tokens and `options.maxRowsPerMicroBatch` rows. A shared prefix counts once. A row that is
    /// longer than the limit is alone.
    static func microBatches(
        _ rows: [PreparedRow], _ options: TrainingOptions
    ) -> [ArraySlice<PreparedRow>] {
        let limit = options.maxTokensPerMicroBatch
        let rowLimit = options.maxRowsPerMicroBatch == 0 ? .max : options.maxRowsPerMicroBatch
        var batches: [ArraySlice<PreparedRow>] = []
        var start = 0
        var size = PackedSize(options: options)
        for (index, row) in rows.enumerated() {
            var larger = size
            larger.add(row)
            if index > start, larger.tokens > limit || larger.rows > rowLimit {
                batches.append(rows[start..<index])
                start = index
                larger = PackedSize([row], options: options)
            }
            size = larger
        }
        if start < rows.count { batches.append(rows[start...]) }
        return batches
    }
}
