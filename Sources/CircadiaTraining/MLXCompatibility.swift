/// The semantics of mlx_lm.lora, for comparison (mlx_lm 0.32, `tuner/trainer.py`).
///
/// - Every token is trained, also the prompt's (mlx_lm without `--mask-prompt`). One pad token (0)
///   is trained after each row that the limit does not cut, because mlx_lm's mask reaches one token
///   too far. Padding further to the right changes no value, so it is not computed.
/// - A batch is a run of consecutive rows. Rows after the last full batch are never trained. Only
///   the order of batches is random.
/// - Adam has no bias correction and no decay. Gradients are not clipped.
/// - Every row has weight 1.
extension TrainingOptions {
    /// Sets the options that mlx_lm.lora fixes. Learning rate, warm-up, rank and so on keep their
    /// values.
    package mutating func matchMLX() {
        order = .mlx
        usesBiasCorrection = false
        beta1 = 0.9
        beta2 = 0.999
        epsilon = 1e-8
        weightDecay = 0
        clipNorm = 0
    }
}

extension TrainingRow {
    /// The row as mlx_lm trains it: without anchored tokens and with weight 1.
    ///
    /// - Parameters:
    ///   - length: `--max-seq-length`.
    ///   - offset: with `--mask-prompt`, the position where the last reply begins.
    /// - Returns: a row that is cut, padded by one token and scored as in mlx_lm.
    package func asInMLX(maxSequenceLength length: Int, offset: Int = 0) -> TrainingRow {
        var row = self
        row.ids = Array(ids.prefix(length))
        if ids.count < length { row.ids.append(0) }
        row.weight = 1
        row.anchored = []
        row.scored = [max(1, min(offset, row.ids.count))..<row.ids.count]
        return row
    }
}

/// The order of mlx_lm's batches.
struct MLXBatchOrder {
    private let batchSize: Int
    private let batches: Int
    private let validationBatches: Int
    private var random: NumPyRandom
    private var queue: [Int] = []
    private var drawn = 0

    /// Steps between validations, mlx_lm's default.
    private static let validationInterval = 200

    /// The order for `rows` rows. Validation draws from the same random numbers.
    init(rows: Int, validationRows: Int, batchSize: Int, seed: UInt64) {
        self.batchSize = batchSize
        batches = rows / batchSize
        validationBatches = validationRows / batchSize
        random = NumPyRandom(seed: seed)
    }

    /// The row numbers of the next batch.
    mutating func nextBatch() -> [Int] {
        if queue.isEmpty { queue = random.permutation(batches).reversed() }
        let first = queue.removeLast() * batchSize
        drawn += 1
        if drawn == 1 || drawn.isMultiple(of: Self.validationInterval) {
            _ = random.permutation(validationBatches)
        }
        return Array(first..<first + batchSize)
    }
}
