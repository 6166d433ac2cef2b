import CircadiaFormats
import CircadiaModel
import Dispatch

/// Forecasts the time of all steps from a few measured micro-batches.
///
/// The forecast assumes that a micro-batch's time is proportional to its arithmetic. That is the
/// sum of tokens through frozen blocks (forward), tokens through adapted blocks (forward, backward,
/// and forward again if activations did not fit), scored tokens through the head, and attention,
/// which grows with the square of a row's length.
struct TrainingTiming {
    /// The steps that fit, with their tokens and seconds.
    struct Schedule {
        var iterations = 0
        var tokens = 0
        var scored = 0
        var seconds = 0.0
    }

    private let trainer: LoRATrainer
    private let rows: [PreparedRow]
    private let work: TrainingWork
    private let checkpointInterval: Int
    /// Seconds for each multiply-add.
    private var rate = 0.0
    /// Seconds of an optimiser step without its micro-batches.
    private var stepSeconds = 0.0
    private var checkpointSeconds = 0.0
    private var evaluationSeconds = 0.0
    /// Seconds that the measurement took.
    private(set) var measuringSeconds = 0.0
    /// Number of tokens of the largest micro-batch.
    let largestMicroBatch: Int
    /// Largest number of micro-batches in a step.
    let mostMicroBatches: Int
    /// The batches of the first steps, as many as are examined one by one.
    private let batches: [[Int]]

    /// The measurement takes this many seconds, and at least three micro-batches.
    private static let measuringBudget = 1.5
    /// After this many seconds, two micro-batches are enough.
    private static let mostMeasuring = 10.0
    /// Number of steps that are examined one by one. Later steps count as equal to these.
    private static let stepsLookedAt = 2000

    init(
        model: LlamaModel, initial: LoRAAdapter?, options: TrainingOptions, rows: [PreparedRow],
        heldOutRows: Int, checkpointInterval: Int
    ) throws(TrainingError) {
        self.rows = rows
        self.checkpointInterval = checkpointInterval
        trainer = try LoRATrainer(model: model, options: options, initial: initial)
        var planner = BatchPlanner(
            lengths: rows.map(\.length), validationRows: heldOutRows,
            batchSize: options.batchSize, order: options.order, seed: options.seed)
        batches = (0..<min(options.iterations, Self.stepsLookedAt)).map { _ in
            planner.nextBatch()
        }
        let parts = batches.map { batch in
            PreparedRow.microBatches(batch.map { rows[$0] }, options)
        }
        mostMicroBatches = parts.reduce(0) { max($0, $1.count) }
        let flat = parts.joined().map { Array($0) }
        let sizes = flat.map { PackedSize($0, options: options).tokens }
        largestMicroBatch = sizes.max() ?? 0
        work = TrainingWork(
            model: model.configuration, adapter: trainer.adapter, options: options,
            largestMicroBatch: largestMicroBatch)
        if flat.isEmpty { return }
        measure(flat, sizes: sizes)
    }

    private mutating func measure(_ parts: [[PreparedRow]], sizes: [Int]) {
        let start = DispatchTime.now().uptimeNanoseconds
        // The largest comes first and does not count, because it allocates all memory.
        let largest = parts[sizes.firstIndex(of: largestMicroBatch) ?? 0]
        trainer.measure(largest)
        var samples: [(seconds: Double, arithmetic: Double)] = []
        var seconds = 0.0
        // The samples are spread over the whole run, so that they contain short and long rows as
        // the run does.
        let order = (0..<max(parts.count, 10)).map { $0 * 7919 % parts.count }
        for index in order
        where samples.count < 3 || seconds < Self.measuringBudget
            || Self.isUneven(samples) && seconds < 4 * Self.measuringBudget
        {
            let one = time { trainer.measure(parts[index]) }
            seconds += one
            samples.append((one, work.multiplyAdds(parts[index], countsAnchors: false)))
            if samples.count >= 2, seconds > Self.mostMeasuring { break }
        }
        rate = Self.medianRate(samples)
        // The update reads and writes about three times as much as norm and copy together. The
        // first call touches new memory.
        trainer.measureUpdate()
        stepSeconds = 3 * time { trainer.measureUpdate() }
        let checkpointBytes = 7.0 * 4 * Double(trainer.adapter.parameterCount)
        checkpointSeconds = checkpointInterval > 0 ? 0.02 + checkpointBytes / 5e8 : 0
        measuringSeconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    }

    /// Whether other work on the machine disturbed the samples. Different row lengths alone make a
    /// smaller difference.
    private static func isUneven(_ samples: [(seconds: Double, arithmetic: Double)]) -> Bool {
        let rates = samples.map { $0.seconds / max(1, $0.arithmetic) }
        return (rates.max() ?? 0) > 1.5 * (rates.min() ?? 0)
    }

    /// The weighted median of seconds per multiply-add: half of the arithmetic was faster, half
    /// slower. A short disturbance does not change it.
    private static func medianRate(_ samples: [(seconds: Double, arithmetic: Double)]) -> Double {
        let sorted = samples.filter { $0.arithmetic > 0 }
            .map { (rate: $0.seconds / $0.arithmetic, weight: $0.arithmetic) }
            .sorted { $0.rate < $1.rate }
        let half = sorted.reduce(0) { $0 + $1.weight } / 2
        var sum = 0.0
        for (rate, weight) in sorted {
            sum += weight
            if sum >= half { return rate }
        }
        return 0
    }

    private func time(_ body: () -> Void) -> Double {
        let start = DispatchTime.now().uptimeNanoseconds
        body()
        return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    }

    /// Adds the time of evaluations between steps.
    mutating func addEvaluations(of heldOut: [PreparedRow]) {
        evaluationSeconds = rate * work.forwardMultiplyAdds(heldOut)
    }

    /// Seconds for the base model's predictions at anchored tokens, which are computed before the
    /// first step.
    private var anchorSeconds: Double {
        var known: Set<PreparedRow.AnchorKey> = []
        return rate
            * work.forwardMultiplyAdds(
                rows.filter { $0.anchorKey.map { known.insert($0).inserted } ?? false })
    }

    /// Forecast seconds of the first step.
    var firstStepSeconds: Double { batches.first.map(seconds) ?? 0 }

    private func seconds(of batch: [Int]) -> Double {
        stepSeconds + rate * work.multiplyAdds(batch.map { rows[$0] })
    }

    /// The steps of the options, or as many as fit into `limit` seconds.
    func schedule(within limit: Double?) -> Schedule {
        let options = trainer.options
        let interval = options.evaluationInterval
        var schedule = Schedule()
        schedule.seconds = anchorSeconds
        if evaluationSeconds > 0, options.iterations > 0 {
            schedule.seconds += 2 * evaluationSeconds
        }
        let costs = batches.map(seconds)
        while schedule.iterations < options.iterations {
            let batch = batches[schedule.iterations % batches.count]
            var next = costs[schedule.iterations % batches.count]
            if evaluationSeconds > 0, interval > 0, (schedule.iterations + 1) % interval == 0 {
                next += evaluationSeconds
            }
            if checkpointInterval > 0, schedule.iterations % checkpointInterval == 0 {
                next += checkpointSeconds
            }
            if let limit, schedule.seconds + next > limit { break }
            schedule.seconds += next
            schedule.iterations += 1
            for row in batch {
                schedule.tokens += rows[row].length
                schedule.scored += rows[row].targets.count
            }
        }
        return schedule
    }
}

/// Counts the multiply-adds of training with the forecast's weights.
struct TrainingWork {
    private let options: TrainingOptions
    private let frozen, adapted, head, attention: Double
    private let frozenForward: Double

    init(
        model: ModelConfiguration, adapter: LoRAAdapter, options: TrainingOptions,
        largestMicroBatch: Int
    ) {
        self.options = options
        let shape = BlockShape(model)
        let perBlock = Double(
            2 * shape.hidden * (shape.queryWidth + shape.keyWidth)
                + 3 * shape.hidden * shape.intermediate)
        let blocks = adapter.adaptedLayers.count
        let kept = BlockActivations.keptBlocks(
            of: blocks, shape: shape, tokens: largestMicroBatch, rank: adapter.rank,
            byteLimit: options.activationByteLimit)
        // The passes are forward, backward, and forward again without `down`.
        let passes = 2 * Double(blocks) + 0.75 * Double(blocks - kept)
        // The adapter's products are small, but they move as much memory as they compute.
        let perAdapter = 4 * Double(adapter.parameterCount)
        frozen = perBlock * Double(model.layerCount - blocks)
        adapted = perBlock * passes + perAdapter
        head = 2 * Double(model.hiddenSize * model.vocabularySize)
        frozenForward = perBlock * Double(model.layerCount) + perAdapter / 4
        // Scores and weighted sums over half a square: once forward, 2.5 times backward.
        attention =
            Double(shape.queryWidth)
            * (Double(model.layerCount) + 2.5 * Double(blocks) + Double(blocks - kept))
    }

    /// The multiply-adds of a batch. Anchored tokens also need the base model's logits;
    /// `countsAnchors` false leaves these out.
    func multiplyAdds(_ rows: [PreparedRow], countsAnchors: Bool = true) -> Double {
        let rest = rows.reduce(0) { sum, row in
            let length = Double(row.length)
            let logits =
                Double(row.targets.count) + (countsAnchors ? 0.5 * Double(row.anchored.count) : 0)
            return sum + head * logits + attention * length * length
        }
        return (frozen + adapted) * tokens(rows) + rest
    }

    /// The multiply-adds of an evaluation.
    func forwardMultiplyAdds(_ rows: [PreparedRow]) -> Double {
        frozenForward * tokens(rows)
            + rows.reduce(0) { $0 + head / 2 * Double($1.targets.count) }
    }

    /// Number of tokens that pass through the blocks.
    private func tokens(_ rows: [PreparedRow]) -> Double {
        PreparedRow.microBatches(rows, options).reduce(0) {
            $0 + Double(PackedSize($1, options: options).tokens)
        }
    }
}

extension LoRATrainer {
    /// Computes the gradient of a micro-batch and discards it.
    fileprivate func measure(_ rows: [PreparedRow]) {
        _ = accumulate(rows)
    }

    /// Moves about as much memory as a third of an optimiser step.
    fileprivate func measureUpdate() {
        _ = state.gradientNorm()
        state.keep()
    }
}
