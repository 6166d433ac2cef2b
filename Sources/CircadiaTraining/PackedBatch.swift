import CircadiaKernels

/// Rows one after the other in one sequence: each sees only itself, positions start anew, nothing
/// is padded. Tokens that no scored one comes after are left out. Rows that keep to the base model
/// come last.
final class PackedBatch {
    /// `[tokens]`, all rows.
    private(set) var ids: [Int32] = []
    /// `[tokens]`: the position inside the row.
    private(set) var positions = AlignedBuffer<Int32>(count: 0)
    /// `[tokens]`: where the token's row begins.
    private(set) var firstKey = AlignedBuffer<Int32>(count: 0)
    /// Tokens whose successor is scored, ascending.
    private(set) var scoredTokens: [Int] = []
    /// The successor of each of `scoredTokens`.
    private(set) var targets: [Int32] = []
    /// How many of `scoredTokens` learn from their targets; the others keep to the base model.
    private(set) var learningCount = 0
    /// What the base model's head reads for the others: `[hidden]` each, row after row.
    private(set) var anchors: [FloatBuffer] = []

    /// Tokens in all rows.
    var tokens: Int { ids.count }

    /// Replaces the contents. Every row must have a target.
    func pack(_ given: some Sequence<PreparedRow>) {
        let rows = given.filter { $0.anchor == nil } + given.filter { $0.anchor != nil }
        anchors = rows.compactMap(\.anchor)
        learningCount = rows.reduce(0) { $0 + ($1.anchor == nil ? $1.targets.count : 0) }
        ids.removeAll(keepingCapacity: true)
        scoredTokens.removeAll(keepingCapacity: true)
        targets.removeAll(keepingCapacity: true)
        for row in rows {
            let start = ids.count
            for target in row.targets {
                scoredTokens.append(start + target - 1)
                targets.append(row.ids[target])
            }
            ids.append(contentsOf: row.ids.prefix(row.length))
        }
        if positions.count < ids.count {
            positions = AlignedBuffer(count: ids.count)
            firstKey = AlignedBuffer(count: ids.count)
        }
        var start = 0
        for row in rows {
            for offset in 0..<row.length {
                positions[start + offset] = Int32(offset)
                firstKey[start + offset] = Int32(start)
            }
            start += row.length
        }
    }
}

/// A row with what training needs to know of it.
struct PreparedRow: Sendable {
    let ids: [Int32]
    /// Scored positions, at least one.
    let targets: [Int]
    /// Tokens that the model reads: all before the last target.
    let length: Int
    /// Whether the row keeps to the base model.
    let keepsBase: Bool
    /// For such a row, what the base model's head reads at the targets: `[targets, hidden]`.
    var anchor: FloatBuffer?

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
        ids = row.ids
        self.targets = targets
        length = last
        keepsBase = row.keepsBase
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
        PreparedRow(
            // The last target is read by nobody, but looked up.
            ids: ids.prefix(self.length + 1) + Array(repeating: 0, count: length - self.length),
            targets: targets, length: length, keepsBase: keepsBase, anchor: anchor)
    }

    private init(
        ids: [Int32], targets: [Int], length: Int, keepsBase: Bool, anchor: FloatBuffer?
    ) {
        self.ids = ids
        self.targets = targets
        self.length = length
        self.keepsBase = keepsBase
        self.anchor = anchor
    }

    /// Cuts rows into micro-batches of at most `options.maxTokensPerMicroBatch` tokens and
    /// `options.maxRowsPerMicroBatch` rows, in order; a longer row is alone.
    static func microBatches(
        _ rows: [PreparedRow], _ options: TrainingOptions
    ) -> [ArraySlice<PreparedRow>] {
        let limit = options.maxTokensPerMicroBatch
        let rowLimit = options.maxRowsPerMicroBatch == 0 ? .max : options.maxRowsPerMicroBatch
        var batches: [ArraySlice<PreparedRow>] = []
        var start = 0
        var tokens = 0
        for (index, row) in rows.enumerated() {
            if index > start, tokens + row.length > limit || index - start == rowLimit {
                batches.append(rows[start..<index])
                start = index
                tokens = 0
            }
            tokens += row.length
        }
        if start < rows.count { batches.append(rows[start...]) }
        return batches
    }
}
