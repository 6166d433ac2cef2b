/// The tokens of rows that are packed together. What all of them begin with, such as the same system
/// prompt, is there once: up to there each of them has the same activations.
struct PackedSize {
    /// Whether rows may share what they begin with.
    private let shares: Bool
    private var first: PreparedRow?
    private var common = 0
    private var sum = 0
    /// Rows so far.
    private(set) var rows = 0

    /// Below so many tokens a second pass over the keys costs more than it saves.
    private static let leastShared = 8

    init(options: TrainingOptions) {
        // Dropout leaves out other elements of every row; padded rows are packed as other programs do.
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

    /// Tokens at the beginning of all rows that are there once; 0 where nothing is shared.
    var shared: Int { rows > 1 && common >= Self.leastShared ? common : 0 }

    /// Tokens that pass through the model.
    var tokens: Int { sum - max(0, rows - 1) * shared }
}

extension PreparedRow {
    /// Tokens that other rows may have too: those before the one that predicts the first target.
    fileprivate var shareableTokens: Int { max(0, targets[0] - 1) }

    fileprivate func commonTokens(with other: PreparedRow, atMost limit: Int) -> Int {
        var count = 0
        while count < limit, ids[count] == other.ids[count] { count += 1 }
        return count
    }
}
