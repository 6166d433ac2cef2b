import CircadiaAdapters
import CircadiaFiles
import CircadiaModel
import CircadiaTraining
import Foundation

/// Writes a night's result: an accepted candidate becomes a version and the adapter in use.
package struct PromoteStage {
    let place: NightPlace
    let control: NightControl

    /// An accepted adapter with the files that are written next to it.
    package struct Promotion {
        /// The adapter.
        let adapter: LoRAAdapter
        /// The exchanges that trained it and the adapters before it.
        let training: TrainingManifest
        /// The training's entry in `adapter_config.json`.
        let origin: JSONObject
    }

    /// Records a night and promotes its adapter, if one was accepted.
    ///
    /// If the process is killed between these steps, `complete` does the rest.
    ///
    /// - Parameters:
    ///   - outcome: the record of the night.
    ///   - promotion: the accepted adapter; nil if the night was rejected.
    ///   - record: the record of the unfinished night.
    /// - Throws: `FileError`, `SleepError.recordNotWritten`.
    package func finish(
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

    /// Finishes an accepted night whose process was killed before it promoted its version.
    ///
    /// - Returns: its outcome; nil if there is nothing to finish.
    /// - Throws: `FileError`, `SleepError.recordNotWritten`.
    package func complete() throws -> NightOutcome? {
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

    /// The training's entry in `adapter_config.json`: settings and numbers, no chat text.
    ///
    /// `nights` counts the nights that trained the adapter since it was fresh.
    package static func origin(
        of adapter: LoRAAdapter, _ outcome: NightOutcome, _ prepared: PreparedNight,
        codeVersion: String
    ) -> JSONObject {
        let recipe = prepared.trainingOptions
        // Keeps the note of where the adapter was imported from.
        var origin = adapter.configuration.origin ?? JSONObject()
        origin["nights"] = .integer((origin["nights"]?.intValue ?? 0) &+ 1)
        origin["night"] = .string(outcome.night.started.formatted(.iso8601))
        origin["version"] = .string(codeVersion)
        origin["model"] = .string(outcome.night.model)
        origin["recipe"] = .string(recipe.order == .mlx ? "mlx_lm.lora" : "circadia sleep")
        origin["exchanges"] = .integer(outcome.selection.trained)
        origin["steps"] = .integer(outcome.training.finalStep)
        origin["tokens"] = .integer(outcome.training.tokens)
        // Converts through text, so that 2e-5 does not become the many digits of the nearest Float.
        origin["learning_rate"] = .number(
            Double("\(recipe.learningRate)") ?? Double(recipe.learningRate))
        origin["batch_size"] = .integer(recipe.batchSize)
        origin["seed"] = .string("\(recipe.seed)")
        origin["held_out_loss"] = outcome.verdict.heldOutLossAfter.map { .number($0) }
        return origin
    }

    /// Replaces the adapter in use by the version of an accepted night.
    private func promote(_ number: Int) throws {
        try place.versions.use(number)
        control.report(
            .promoted(adapter: place.adapterDirectory.relativePath, version: number))
    }

    /// Removes the oldest versions beyond `keptVersions`. A failure is reported as an event and
    /// does not fail the night.
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
