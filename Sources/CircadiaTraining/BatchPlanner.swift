import CircadiaModel

/// Deals rows out in batches, epoch after epoch; the order follows from the seed alone.
struct BatchPlanner {
    private let lengths: [Int]
    private let batchSize: Int
    private let order: TrainingOptions.Order
    private var random: SeededGenerator
    private var queue: [[Int]] = []
    private var next = 0

    /// Rows whose lengths are compared when rows of like length are put together.
    private static let bucketBatches = 8

    init(lengths: [Int], batchSize: Int, order: TrainingOptions.Order, seed: UInt64) {
        precondition(!lengths.isEmpty && batchSize > 0)
        self.lengths = lengths
        self.batchSize = batchSize
        self.order = order
        // The initial adapter is drawn from the seed itself.
        random = SeededGenerator(seed: seed ^ 0x6261_7463_6865_7321)
    }

    /// The row numbers of the next batch.
    mutating func nextBatch() -> [Int] {
        if order == .given {
            let rows = (0..<batchSize).map { (next + $0) % lengths.count }
            next = (next + batchSize) % lengths.count
            return rows
        }
        if queue.isEmpty { queue = epoch().reversed() }
        return queue.removeLast()
    }

    /// Where the planner stands: what it deals from then on follows from this.
    struct State: Codable, Equatable {
        var random: [UInt64]
        var queue: [[Int]]
        var next: Int
    }

    /// What `restore` needs to go on from here.
    var state: State { State(random: random.words, queue: queue, next: next) }

    /// Goes on from where another planner for the same rows stood; false where the state is for
    /// other rows.
    mutating func restore(_ state: State) -> Bool {
        guard let random = SeededGenerator(words: state.random),
            lengths.indices.contains(state.next),
            state.queue.allSatisfy({ $0.allSatisfy(lengths.indices.contains) })
        else { return false }
        self.random = random
        queue = state.queue
        next = state.next
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
