/// mlx_lm.lora's own semantics, for comparison (mlx_lm 0.32, `tuner/trainer.py`).
///
/// - Every token is trained, the prompt's too (mlx_lm without `--mask-prompt`), and one pad token
///   (0) after each row that the limit does not cut: there mlx_lm's mask reaches one too far.
///   Padding further to the right changes no number, so it is not computed.
/// - Batches are rows that follow each other, what is left over after the last full batch is never
///   trained, and only the order of batches is random.
/// - Adam without bias correction and without decay; no clipping.
/// - Every row weighs the same, whatever was said of its reply.
extension TrainingOptions {
    /// Sets what mlx_lm.lora fixes. Learning rate, warm-up, rank and so on stay as they are.
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
    /// The row as mlx_lm trains it.
    ///
    /// - Parameters:
    ///   - length: `--max-seq-length`.
    ///   - offset: with `--mask-prompt`, where the last reply begins.
    /// - Returns: a row that is cut, padded by one token and scored like mlx_lm's.
    package func asInMLX(maxSequenceLength length: Int, offset: Int = 0) -> TrainingRow {
        var row = self
        row.ids = Array(ids.prefix(length))
        if ids.count < length { row.ids.append(0) }
        row.weight = 1
        row.held = []
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

    /// The order for `rows` rows; validation draws from the same random numbers.
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
