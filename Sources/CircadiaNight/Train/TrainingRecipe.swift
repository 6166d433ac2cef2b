import CircadiaModel
import CircadiaTraining
import Foundation

/// What the night's options mean for training.
extension SleepOptions {
    /// The recipe as training takes it, for so many rows.
    func trainingOptions(rows: Int) -> TrainingOptions {
        var training = TrainingOptions()
        training.batchSize = batchSize * gradientAccumulation
        if gradientAccumulation > 1 { training.maxRowsPerMicroBatch = batchSize }
        training.iterations = steps(rows: rows)
        training.learningRate = learningRate
        training.schedule = schedule
        training.warmupSteps = warmupSteps
        training.weightDecay = optimizer == .adamw ? weightDecay : 0
        training.usesBiasCorrection = usesBiasCorrection
        training.clipNorm = Double(clipNorm)
        training.rank = loraRank
        training.scale = Double(loraScale)
        training.layers = loraLayers
        training.keys = loraKeys
        training.kind = usesDoRA ? .dora : .lora
        training.dropout = dropout
        training.maxSequenceLength = maxSequenceLength
        training.divergenceWeight = divergenceWeight ?? 0
        training.evaluationInterval = evaluationInterval
        training.keepsBest = evaluationInterval > 0
        training.patience = patience
        training.seed = seed
        if matchesMLX { training.matchMLX() }
        return training
    }

    /// The rows that training is evaluated on between steps.
    func evaluated(_ rows: Rows) -> [TrainingRow] { evaluationInterval > 0 ? rows.heldOut : [] }

    /// Fits the recipe to the limits of memory and time.
    ///
    /// - Parameters:
    ///   - rows: the night's rows.
    ///   - present: the adapter that the night continues from; nil for the base model.
    ///   - model: what is trained.
    ///   - secondsAfter: how long measuring and judging take after the last step.
    ///   - report: told what will come.
    /// - Returns: the options that fit, and a forecast.
    /// - Throws: `TrainingError` where nothing fits.
    func plan(
        _ rows: Rows, present: LoRAAdapter?, model: LlamaModel, secondsAfter: Double,
        report: (NightEvent) -> Void
    ) throws -> (options: TrainingOptions, plan: TrainingPlan) {
        let wanted = trainingOptions(rows: rows.training.count)
        var limits = TrainingLimits()
        limits.memory = memoryLimit
        limits.checkpointInterval = checkpointInterval
        // A forecast is a forecast: what is left is not planned to the last second.
        limits.seconds = finishBy.map { ($0.timeIntervalSinceNow - secondsAfter) * 0.97 }
        let planned = try TrainingPlanner(
            model: model, initial: resetAdapter ? nil : present, limits: limits
        ).plan(wanted, rows: rows.training, heldOut: evaluated(rows))
        report(.plan(planned.plan, wantedIterations: wanted.iterations))
        return planned
    }
}
