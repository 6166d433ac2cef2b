import CircadiaModel

/// Deals rows out in batches, epoch after epoch. The order depends on the seed alone.
struct BatchPlanner {
    private let lengths: [Int]
    private let batchSize: Int
    private let order: TrainingOptions.Order
    /// Number of batches dealt so far in mlx_lm's order.
    private var dealt = 0
    private var random: SeededGenerator
    private var mlxOrder: MLXBatchOrder?
    private var queue: [[Int]] = []
    private var next = 0

    /// Batches in a bucket. `.bucketed` sorts rows by length inside one bucket.
    private static let bucketBatches = 8
    /// Sanity bound: a larger value means a corrupt checkpoint.
    private static let mostDealt = 100_000_000

    init(
        lengths: [Int], validationRows: Int = 0, batchSize: Int, order: TrainingOptions.Order,
        seed: UInt64
    ) {
        precondition(!lengths.isEmpty && batchSize > 0)
        self.lengths = lengths
        self.batchSize = batchSize
        self.order = order
        // The initial adapter is drawn from the seed itself, so the order uses another one.
        random = SeededGenerator(seed: seed ^ 0x6261_7463_6865_7321)
        if order == .mlx {
            mlxOrder = MLXBatchOrder(
                rows: lengths.count, validationRows: validationRows, batchSize: batchSize,
                seed: seed)
        }
    }

    /// The row numbers of the next batch.
    mutating func nextBatch() -> [Int] {
        if let batch = mlxOrder?.nextBatch() {
            dealt += 1
            return batch
        }
        if order == .given {
            let rows = (0..<batchSize).map { (next + $0) % lengths.count }
            next = (next + batchSize) % lengths.count
            return rows
        }
        if queue.isEmpty { queue = epoch().reversed() }
        return queue.removeLast()
    }

    /// The planner's position. It decides every batch that follows.
    struct State: Codable, Equatable {
        var random: [UInt64]
        var queue: [[Int]]
        var next: Int
        var dealt: Int
    }

    /// The present position, for `restore`.
    var state: State { State(random: random.words, queue: queue, next: next, dealt: dealt) }

    /// Moves a planner that has dealt nothing to the position of another planner for the same rows.
    ///
    /// For mlx_lm's order it deals the batches again: that is faster than storing the 624 words of
    /// its generator.
    ///
    /// - Returns: false if the state belongs to other rows.
    mutating func restore(_ state: State) -> Bool {
        guard let random = SeededGenerator(words: state.random),
            lengths.indices.contains(state.next), (0...Self.mostDealt).contains(state.dealt),
            state.queue.allSatisfy({ $0.allSatisfy(lengths.indices.contains) })
        else { return false }
        self.random = random
        queue = state.queue
        next = state.next
        for _ in 0..<(order == .mlx ? state.dealt : 0) { _ = nextBatch() }
        return true
    }

    private mutating func epoch() -> [[Int]] {
        var rows = lengths.indices.shuffled(using: &random)
        if order == .bucketed {
            let bucket = batchSize * Self.bucketBatches
            for start in stride(from: 0, to: rows.count, by: bucket) {
                let range = start..<min(start + bucket, rows.count)
                // Equal lengths stay in shuffled order.
                let sorted = rows[range].enumerated().sorted {
                    (lengths[$0.element], $0.offset) < (lengths[$1.element], $1.offset)
                }
                rows.replaceSubrange(range, with: sorted.map(\.element))
            }
        }
        var batches = stride(from: 0, to: rows.count, by: batchSize).map {
            Array(rows[$0..<min($0 + batchSize, rows.count)])
        }
        if order == .bucketed { batches.shuffle(using: &random) }
        return batches
    }
}
