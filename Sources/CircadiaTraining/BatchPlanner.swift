import CircadiaModel

/// Deals rows out in batches, epoch after epoch; the order follows from the seed alone.
struct BatchPlanner {
    private let lengths: [Int]
    private let batchSize: Int
    private let order: TrainingOptions.Order
    private var random: SeededGenerator
    private var mlxOrder: MLXBatchOrder?
    private var queue: [[Int]] = []
    private var next = 0

    /// Rows whose lengths are compared when rows of like length are put together.
    private static let bucketBatches = 8

    init(
        lengths: [Int], validationRows: Int = 0, batchSize: Int, order: TrainingOptions.Order,
        seed: UInt64
    ) {
        precondition(!lengths.isEmpty && batchSize > 0)
        self.lengths = lengths
        self.batchSize = batchSize
        self.order = order
        // The initial adapter is drawn from the seed itself.
        random = SeededGenerator(seed: seed ^ 0x6261_7463_6865_7321)
        if order == .mlx {
            mlxOrder = MLXBatchOrder(
                rows: lengths.count, validationRows: validationRows, batchSize: batchSize,
                seed: seed)
        }
    }

    /// The row numbers of the next batch.
    mutating func nextBatch() -> [Int] {
        if let batch = mlxOrder?.nextBatch() { return batch }
        if order == .given {
            let rows = (0..<batchSize).map { (next + $0) % lengths.count }
            next = (next + batchSize) % lengths.count
            return rows
        }
        if queue.isEmpty { queue = epoch().reversed() }
        return queue.removeLast()
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
