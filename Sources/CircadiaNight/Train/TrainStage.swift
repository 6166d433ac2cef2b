import CircadiaFormats
import CircadiaModel
import CircadiaTraining
import Foundation

/// Trains finished rows into a candidate.
package struct TrainStage {
    let model: NightModel
    let options: SleepOptions
    let unfinished: UnfinishedNight
    let control: NightControl

    /// Trains to the end, from the last checkpoint if there is one.
    ///
    /// - Parameters:
    ///   - prepared: the rows and the training options.
    ///   - present: the adapter that the night continues from; nil for the base model.
    /// - Returns: the trained adapter with its losses.
    /// - Throws: `SleepError.interrupted` with everything kept, `TrainingError`.
    package func candidate(_ prepared: PreparedNight, from present: LoRAAdapter?) throws
        -> Candidate
    {
        let trainer = try LoRATrainer(
            model: model.base.weights, options: prepared.trainingOptions,
            initial: options.resetAdapter ? nil : present)
        if present != nil, !options.resetAdapter {
            noteShape(of: trainer.adapter, wanted: prepared.trainingOptions)
        }
        let before = trainer.adapter.copy()
        let start = Date()
        var evaluations: [LossPoint] = []
        let training = try train(trainer, prepared) { progress in
            if case .evaluation(let step, let loss, _) = progress.event {
                evaluations.append(LossPoint(step: step, loss: loss))
            }
        }
        return Candidate(
            before: before, after: trainer.adapter, training: training, evaluations: evaluations,
            seconds: Date().timeIntervalSince(start))
    }

    private func train(
        _ trainer: LoRATrainer, _ prepared: PreparedNight,
        observe: (TrainingProgress) -> Void
    ) throws -> TrainingReport {
        let training: TrainingReport
        do throws(TrainingError) {
            training = try trainer.train(
                rows: prepared.rows.training, heldOut: options.evaluated(prepared.rows),
                checkpoints: CheckpointOptions(
                    url: unfinished.stateURL, interval: options.checkpointInterval),
                resumes: unfinished.hasState
            ) { progress in
                observe(progress)
                control.report(.training(progress))
                return !control.isCancelled()
            }
        } catch {
            // A resumed run would diverge again.
            if case .diverged = error { unfinished.discard() }
            throw error
        }
        guard training.end == .cancelled else { return training }
        throw unfinished.interrupted(
            step: training.steps.count, total: prepared.trainingOptions.iterations)
    }

    /// Reports if the present adapter, which keeps its shape, differs from what the options ask
    /// for.
    private func noteShape(of adapter: LoRAAdapter, wanted options: TrainingOptions) {
        let wanted = options.adapterConfiguration
        let found = adapter.configuration
        let layers = model.base.configuration.layerCount
        let isSame =
            found.kind == wanted.kind
            && found.loraParameters.rank == wanted.loraParameters.rank
            && found.loraParameters.scale == wanted.loraParameters.scale
            && (found.loraParameters.keys ?? AdapterTensorName.modules)
                == (wanted.loraParameters.keys ?? AdapterTensorName.modules)
            && found.adaptedLayers(of: layers) == wanted.adaptedLayers(of: layers)
        if isSame { return }
        control.report(
            .keepsShape(
                kind: found.kind, rank: found.loraParameters.rank,
                scale: found.loraParameters.scale, blocks: adapter.adaptedLayers.count))
    }
}
