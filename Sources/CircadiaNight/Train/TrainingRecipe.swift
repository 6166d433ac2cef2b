import CircadiaModel
import CircadiaTraining
import Foundation

/// Turns a night's options into training options.
extension SleepOptions {
    /// The training options for `rows` rows.
    package func trainingOptions(rows: Int) -> TrainingOptions {
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

    /// The rows that are evaluated between steps.
    package func evaluated(_ rows: Rows) -> [TrainingRow] {
        evaluationInterval > 0 ? rows.heldOut : []
    }

    /// Fits the recipe to the limits of memory and time.
    ///
    /// - Parameters:
    ///   - rows: the night's rows.
    ///   - present: the adapter that the night continues from; nil for the base model.
    ///   - model: the base model.
    ///   - secondsAfter: expected seconds of measuring and judging after the last step.
    ///   - report: receives the plan as an event.
    /// - Returns: the options that fit the limits, and the forecast.
    /// - Throws: `TrainingError` if nothing fits.
    package func plan(
        _ rows: Rows, present: LoRAAdapter?, model: LlamaModel, secondsAfter: Double,
        report: (NightEvent) -> Void
    ) throws -> (options: TrainingOptions, plan: TrainingPlan) {
        let wanted = trainingOptions(rows: rows.training.count)
        var limits = TrainingLimits()
        limits.memory = memoryLimit
        limits.checkpointInterval = checkpointInterval
        // The forecast is inexact, so 3% of the time stays free.
        limits.seconds = finishBy.map { ($0.timeIntervalSinceNow - secondsAfter) * 0.97 }
        let planned = try TrainingPlanner(
            model: model, initial: resetAdapter ? nil : present, limits: limits
        ).plan(wanted, rows: rows.training, heldOut: evaluated(rows))
        report(.plan(planned.plan, wantedIterations: wanted.iterations))
        return planned
    }
}
