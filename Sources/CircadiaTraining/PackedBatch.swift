import CircadiaKernels

/// Rows one after the other in one sequence: each sees only itself, positions start anew, nothing
/// is padded. Tokens that all rows begin with are there once, at the front. Tokens that no scored one
/// comes after are left out. Rows that hold tokens to the base model come last, and of both kinds those of
/// like weight stand together.
final class PackedBatch {
    /// `[tokens]`, all rows.
    private(set) var ids: [Int32] = []
    /// `[tokens]`: the position inside the row.
    private(set) var positions = AlignedBuffer<Int32>(count: 0)
    /// `[tokens]`: where the token's row begins, without what is shared.
    private(set) var firstKey = AlignedBuffer<Int32>(count: 0)
    /// Tokens at the front that every row begins with; 0 where nothing is shared.
    private(set) var shared = 0
    /// `[tokens]`: `shared`, where the token comes behind them; 0 for these themselves, whose own row
    /// they are.
    private(set) var sharedEnd = AlignedBuffer<Int32>(count: 0)
    /// Tokens whose successor is scored, row after row: those that learn from it, then those that are held
    /// to the base model.
    private(set) var scoredTokens: [Int] = []
    /// The successor of each of `scoredTokens`.
    private(set) var targets: [Int32] = []
    /// How many of `scoredTokens` learn from their targets.
    private(set) var learningCount = 0
    /// Stretches of `scoredTokens` with one weight and one pull, in order: those that learn, then the others.
    private(set) var stretches: [(end: Int, weight: Float, pull: Float)] = []
    /// What the base model's head reads for the others: `[hidden]` each, row after row.
    private(set) var anchors: [FloatBuffer] = []

    /// Tokens that pass through the model.
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
            score(row.held, of: row, start: start, pull: row.pull, from: learningCount)
        }
    }

    /// Scores a row's positions, in the last stretch where that begins at `first` or behind it and has the
    /// row's weight and pull.
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

    /// Rows that only learn, then those that hold to the base model; of weight 1 first, in order.
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

/// A row with what training needs to know of it.
struct PreparedRow {
    /// `TrainingRow.id`.
    let id: String
    let ids: [Int32]
    /// Scored positions, at least one.
    let targets: [Int]
    /// Tokens that the model reads: all before the last target.
    let length: Int
    /// Those of `targets` that hold to the base model.
    let held: [Int]
    /// How much each target counts.
    let weight: Float
    /// How strongly `held` are held, as a share of the options' weight.
    let pull: Float
    /// What the base model's head reads at `held`: `[held, hidden]`; nil where none is held, or not yet.
    var anchor: FloatBuffer?
    /// What an anchor follows from: rows that have it in common share one. Nil where nothing is held.
    var anchorKey: AnchorKey? { held.isEmpty ? nil : AnchorKey(ids: ids, held: held) }

    struct AnchorKey: Hashable {
        let ids: [Int32]
        let held: [Int]
    }

    /// Targets whose own loss counts: without an anchor all.
    var learnt: [Int] {
        guard anchor != nil else { return targets }
        let held = Set(held)
        return targets.filter { !held.contains($0) }
    }

    /// Nil where the row has no token to train on.
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
        held = targets.filter(row.isHeld)
        weight = row.weight
        pull = row.pull
    }

    /// Prepares rows, leaving out those without a token to train on.
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

    /// The row with padding behind it.
    func padded(to length: Int) -> PreparedRow {
        PreparedRow(self, length: length)
    }

    private init(_ row: PreparedRow, length: Int) {
        id = row.id
        // The last target is read by nobody, but looked up.
        ids = row.ids.prefix(row.length + 1) + Array(repeating: 0, count: length - row.length)
        targets = row.targets
        self.length = length
        held = row.held
        weight = row.weight
        pull = row.pull
        anchor = row.anchor
    }

    /// Cuts rows into micro-batches of at most `options.maxTokensPerMicroBatch` tokens, those that
    /// rows share counted once, and `options.maxRowsPerMicroBatch` rows, in order; a longer row is
    /// alone.
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
