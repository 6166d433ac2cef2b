/// The number of tokens of rows that are packed together. A prefix that all of them share, such as
/// a system prompt, counts once, because its activations are the same in each row.
struct PackedSize {
    /// Whether rows may share a prefix.
    private let shares: Bool
    private var first: PreparedRow?
    private var common = 0
    private var sum = 0
    /// Number of rows so far.
    private(set) var rows = 0

    /// With a shorter prefix, a second pass over the keys costs more than it saves.
    private static let leastShared = 8

    init(options: TrainingOptions) {
        // Dropout differs from row to row. Padded rows imitate programs that do not pack.
        shares = options.dropout == 0 && !options.padsRows
    }

    init(_ rows: some Sequence<PreparedRow>, options: TrainingOptions) {
        self.init(options: options)
        for row in rows { add(row) }
    }

    mutating func add(_ row: PreparedRow) {
        rows += 1
        sum += row.length
        guard shares else { return }
        if let first {
            common = first.commonTokens(with: row, atMost: min(common, row.shareableTokens))
        } else {
            first = row
            common = row.shareableTokens
        }
    }

    /// Length of the prefix that is stored once; 0 if none is shared.
    var shared: Int { rows > 1 && common >= Self.leastShared ? common : 0 }

    /// Number of tokens that pass through the model.
    var tokens: Int { sum - max(0, rows - 1) * shared }
}

extension PreparedRow {
    /// Length of the longest prefix that the row can share: it ends before the token that predicts
    /// the first target.
    fileprivate var shareableTokens: Int { max(0, targets[0] - 1) }

    fileprivate func commonTokens(with other: PreparedRow, atMost limit: Int) -> Int {
        var count = 0
        while count < limit, ids[count] == other.ids[count] { count += 1 }
        return count
    }
}
