import CircadiaAdapters
import CircadiaFiles
import CircadiaModel
import CircadiaTraining
import Foundation

/// From a verdict to what is on disk: an accepted candidate becomes a version and the adapter in use.
struct PromoteStage {
    let place: NightPlace
    let control: NightControl

    /// An accepted adapter with all that is written beside it.
    struct Promotion {
        /// The adapter.
        let adapter: LoRAAdapter
        /// What it and those before it were trained on.
        let training: TrainingManifest
        /// What `adapter_config.json` says of the training.
        let origin: JSONObject
    }

    /// Writes a night down and promotes its adapter, if any.
    ///
    /// Where the process is killed between these steps, `complete` does what is left.
    ///
    /// - Parameters:
    ///   - outcome: the night.
    ///   - promotion: the adapter that was accepted; nil for none.
    ///   - record: the night as it is kept until it has ended.
    /// - Throws: `FileError`, `SleepError.recordNotWritten`.
    func finish(
        _ outcome: NightOutcome, promotion: Promotion?, record: NightRecord
    ) throws {
        let (versions, unfinished) = (place.versions, place.unfinished)
        let manifest = NightManifest(outcome)
        if let promotion {
            var record = record
            record.outcome = outcome
            try unfinished.save(record)
            versions.makeFolder()
            try promotion.adapter.save(
                to: versions.url(of: outcome.night.number),
                attachments: [
                    TrainingManifest.fileName: promotion.training.bytes,
                    NightManifest.fileName: try versions.bytes(of: manifest),
                ], origin: promotion.origin)
            try promote(outcome.night.number)
        }
        try versions.log(manifest)
        unfinished.discard()
        if promotion != nil { prune() }
    }

    /// Does what is left of an accepted night whose process was killed before it had promoted its version.
    ///
    /// - Returns: its outcome; nil where there is nothing left to do.
    /// - Throws: `FileError`, `SleepError.recordNotWritten`.
    func complete() throws -> NightOutcome? {
        let (versions, unfinished) = (place.versions, place.unfinished)
        guard let record = try? unfinished.record(), let outcome = record.outcome,
            let version = versions.version(record.number), !version.isStale
        else { return nil }
        control.report(.hadEnded(started: record.started))
        if !versions.nights.contains(where: { $0.version == version.number }) {
            try promote(version.number)
        }
        try versions.log(version.manifest)
        unfinished.discard()
        return outcome
    }

    /// What `adapter_config.json` says of the training; numbers only, nothing of what was said.
    ///
    /// `nights` counts those that the adapter has gone through since it was fresh.
    static func origin(
        of adapter: LoRAAdapter, _ outcome: NightOutcome, _ prepared: PreparedNight,
        codeVersion: String
    ) -> JSONObject {
        let recipe = prepared.trainingOptions
        // Where it was imported from stays.
        var origin = adapter.configuration.origin ?? JSONObject()
        origin["nights"] = .integer((origin["nights"]?.intValue ?? 0) &+ 1)
        origin["night"] = .string(outcome.night.started.formatted(.iso8601))
        origin["version"] = .string(codeVersion)
        origin["model"] = .string(outcome.night.model)
        origin["recipe"] = .string(recipe.order == .mlx ? "mlx_lm.lora" : "circadia sleep")
        origin["exchanges"] = .integer(outcome.selection.trained)
        origin["steps"] = .integer(outcome.training.finalStep)
        origin["tokens"] = .integer(outcome.training.tokens)
        // Through text: 2e-5, not all the digits that the nearest Float has as a Double.
        origin["learning_rate"] = .number(
            Double("\(recipe.learningRate)") ?? Double(recipe.learningRate))
        origin["batch_size"] = .integer(recipe.batchSize)
        origin["seed"] = .string("\(recipe.seed)")
        origin["held_out_loss"] = outcome.verdict.heldOutLossAfter.map { .number($0) }
        return origin
    }

    /// Puts the version of an accepted night in the place of the adapter in use.
    private func promote(_ number: Int) throws {
        try place.versions.use(number)
        control.report(
            .promoted(adapter: place.adapterDirectory.relativePath, version: number))
    }

    /// Removes the oldest versions beyond those that are kept; a night is not lost over it.
    private func prune() {
        guard place.keptVersions > 0 else { return }
        do {
            let removed = try place.versions.prune(keeping: place.keptVersions)
            guard !removed.isEmpty else { return }
            control.report(.pruned(removed.map(\.number), keeping: place.keptVersions))
        } catch {
            control.report(.pruningFailed("\(error)"))
        }
    }
}
