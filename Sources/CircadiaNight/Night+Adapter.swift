import CircadiaFiles
import CircadiaFormats
import CircadiaModel
import CircadiaTraining
import Foundation

/// What a night says of the adapter that it goes on with and of the one that it leaves.
extension Night {
    /// Says so where the present adapter, which goes on, is not what the options ask for.
    func noteAdapter(
        _ adapter: LoRAAdapter, wanted: TrainingOptions, isPresent: Bool, report: (Event) -> Void
    ) {
        guard isPresent, !options.resetAdapter else { return }
        let wanted = wanted.adapterConfiguration
        let found = adapter.configuration
        let layers = base.configuration.layerCount
        let isSame =
            found.kind == wanted.kind
            && found.loraParameters.rank == wanted.loraParameters.rank
            && found.loraParameters.scale == wanted.loraParameters.scale
            && (found.loraParameters.keys ?? AdapterTensorName.modules)
                == (wanted.loraParameters.keys ?? AdapterTensorName.modules)
            && found.adaptedLayers(of: layers) == wanted.adaptedLayers(of: layers)
        if isSame { return }
        report(
            .note(
                "going on with the present adapter (\(found.kind.rawValue), rank "
                    + "\(found.loraParameters.rank), scale \(found.loraParameters.scale), "
                    + "\(adapter.adaptedLayers.count) blocks), which is not what the flags ask "
                    + "for; --reset-adapter makes one that is"))
    }

    /// What `adapter_config.json` says of the training; numbers only, nothing of what was said.
    ///
    /// `nights` counts those that the adapter has gone through since it was fresh.
    func origin(
        of adapter: LoRAAdapter, _ record: NightRecord, _ prepared: NightRecord.Prepared,
        _ training: TrainingReport, heldOutLoss: Double?
    ) -> JSONObject {
        let recipe = prepared.trainingOptions
        // Where it was imported from stays.
        var origin = adapter.configuration.origin ?? JSONObject()
        origin["nights"] = .integer((origin["nights"]?.intValue ?? 0) &+ 1)
        origin["night"] = .string(record.started.formatted(.iso8601))
        origin["version"] = .string(record.codeVersion)
        origin["model"] = .string(modelName)
        origin["recipe"] = .string(recipe.order == .mlx ? "mlx_lm.lora" : "circadia sleep")
        origin["exchanges"] = .integer(prepared.exchangesTrained)
        origin["steps"] = .integer(training.finalStep)
        origin["tokens"] = .integer(training.scoredTokensTrained)
        // Through text: 2e-5, not all the digits that the nearest Float has as a Double.
        origin["learning_rate"] = .number(
            Double("\(recipe.learningRate)") ?? Double(recipe.learningRate))
        origin["batch_size"] = .integer(recipe.batchSize)
        origin["seed"] = .string("\(recipe.seed)")
        origin["held_out_loss"] = heldOutLoss.map { .number($0) }
        return origin
    }

    /// Puts the version of an accepted night in the place of the adapter in use.
    func promote(_ number: Int, report: (Event) -> Void) throws {
        try versions.use(number)
        report(
            .note(
                "adapter written to \(adapterDirectory.relativePath), kept as version "
                    + AdapterVersions.name(of: number)))
    }

    /// Removes the oldest versions beyond those that are kept; a night is not lost over it.
    func pruneVersions(report: (Event) -> Void) {
        guard keptVersions > 0 else { return }
        do {
            let removed = try versions.prune(keeping: keptVersions)
            guard !removed.isEmpty else { return }
            report(
                .note(
                    "removed: version "
                        + removed.map(\.name).joined(separator: ", ")
                        + "; the latest \(keptVersions) are kept (--keep-versions)"))
        } catch {
            report(.note("old versions could not be removed: \(error)"))
        }
    }

    /// Does what is left of a night that was accepted and whose process was killed before it had
    /// promoted its version.
    ///
    /// - Parameters:
    ///   - unfinished: where that night is kept.
    ///   - resumes: whether that night is what the caller wants.
    ///   - report: told what was done.
    /// - Returns: its report, where it is; nil where there is nothing left to do, or another night
    ///   comes.
    /// - Throws: `FormatError`, `SleepError.recordNotWritten`, `ModelError`.
    func complete(
        _ unfinished: UnfinishedNight, resumes: Bool, report: (Event) -> Void
    ) throws -> NightReport? {
        guard let record = try? unfinished.record(), let accepted = record.accepted,
            let version = versions.version(record.number), !version.isStale
        else { return nil }
        report(.note("the night of \(record.started.formatted(.iso8601)) had ended"))
        if !versions.nights.contains(where: { $0.version == version.number }) {
            try promote(version.number, report: report)
        }
        try versions.log(version.manifest)
        unfinished.discard()
        if !resumes { return nil }
        return accepted
    }
}
