import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaFormats
import CircadiaKernels
import CircadiaModel
import CircadiaTraining
import Foundation

/// One night: the day's exchanges become a candidate adapter, which is judged and then promoted or
/// dropped.
///
/// Each stage is a function from values to values: select → rows → train → judge → promote. The adapter
/// in use does not change before promotion, which is one atomic exchange of its folder. Until then the
/// night is kept beside it (`UnfinishedNight`) and can be resumed after any end, with the same bits.
package struct Night {
    /// What happens in a night.
    package typealias Event = NightEvent

    let model: NightModel
    let place: NightPlace
    let texts: NightTexts
    let options: SleepOptions

    /// Versions that stay beside the one in use, unless a person wants otherwise.
    package static let usualVersions = 30

    /// A night for a model.
    ///
    /// - Parameters:
    ///   - model: what is trained.
    ///   - place: where its adapter lies.
    ///   - texts: the texts that ship with the program.
    ///   - options: the settings.
    package init(
        model: NightModel, place: NightPlace, texts: NightTexts = NightTexts(),
        options: SleepOptions
    ) {
        self.model = model
        self.place = place
        self.texts = texts
        self.options = options
    }

    /// What a caller asks of a night.
    package struct Request: Sendable {
        /// The log, in order.
        package var exchanges: [CleanExchange]
        /// Names the log in errors.
        package var logPath: String
        /// Resumes the night that did not end. Its exchanges are those of then, and its adapter is the
        /// very one that it would have ended with.
        package var resumes = false
        /// Refuses a night in which no exchange is new and none is due for rehearsal.
        package var onlyIfDue = false

        /// Asks for a night over a log.
        package init(
            exchanges: [CleanExchange], logPath: String, resumes: Bool = false, onlyIfDue: Bool = false
        ) {
            self.exchanges = exchanges
            self.logPath = logPath
            self.resumes = resumes
            self.onlyIfDue = onlyIfDue
        }
    }

    /// Holds the night.
    ///
    /// - Parameters:
    ///   - request: what is asked of it.
    ///   - isCancelled: asked between steps; a cancelled night throws `SleepError.interrupted`, keeps all
    ///     it has done and leaves everything else as it was.
    ///   - report: told what happens.
    /// - Returns: the record of the night.
    /// - Throws: `SleepError` where there is nothing to learn or to resume, `TrainingError` where
    ///   training breaks off, `ModelError` or `FormatError` where the present adapter does not fit or the
    ///   new one cannot be written.
    package func sleep(
        _ request: Request, isCancelled: @escaping () -> Bool = { false },
        report: @escaping (NightEvent) -> Void
    ) throws -> NightOutcome {
        let start = Date()
        let control = NightControl(isCancelled: isCancelled, report: report)
        let promotion = PromoteStage(place: place, control: control)
        if let outcome = try promotion.complete(), request.resumes {
            return outcome
        }
        let begun = try request.resumes
            ? resume(request, control: control) : begin(request, control: control)
        let present = try begun.origin.directory.map {
            try LoRAAdapter.load(from: $0, for: model.base.configuration)
        }
        let material = begun.material
        let (record, prepared) = try prepare(
            begun, material: material, present: present, request: request, control: control)
        let candidate = try TrainStage(
            model: model, options: options, unfinished: place.unfinished, control: control
        ).candidate(prepared, from: present)
        let (verdict, accepted) = try JudgeStage(
            model: model, options: options, material: texts.gate, place: place, control: control
        ).judge(candidate, prepared)
        let outcome = outcome(begun, prepared, candidate, verdict, start: start)
        DiaryStage(
            model: model, options: options, adapterDirectory: place.adapterDirectory,
            control: control
        ).keep(
            outcome, material: material, heldOut: prepared.rows.heldOut, present: present,
            candidate: accepted ?? candidate.after)
        try promotion.finish(
            outcome,
            promotion: accepted.map {
                promotable($0, outcome, begun.origin, prepared, candidate, record: record)
            }, record: record)
        return outcome
    }

    private func outcome(
        _ begun: Begun, _ prepared: PreparedNight, _ candidate: Candidate, _ verdict: Verdict,
        start: Date
    ) -> NightOutcome {
        let record = begun.record
        return NightOutcome(
            night: NightOutcome.Identity(
                number: record.number, started: record.started,
                adapter: place.adapterDirectory.relativePath,
                adapterName: place.adapterDirectory.lastPathComponent,
                parent: options.resetAdapter ? nil : begun.origin.version, model: record.model,
                modelFingerprint: record.modelFingerprint, options: options,
                codeVersion: CodeVersion.current),
            selection: prepared.selection, rows: prepared.rows.summary, plan: prepared.plan,
            training: candidate.summary,
            curves: candidate.curves(
                heldOutBefore: verdict.heldOutLossBefore, heldOutAfter: verdict.heldOutLossAfter),
            verdict: verdict, seconds: Date().timeIntervalSince(start),
            peakBytes: ResidentMemory.peak)
    }

    private func promotable(
        _ adapter: LoRAAdapter, _ outcome: NightOutcome, _ origin: AdapterOrigin,
        _ prepared: PreparedNight, _ candidate: Candidate, record: NightRecord
    ) -> PromoteStage.Promotion {
        PromoteStage.Promotion(
            adapter: adapter,
            training: origin.manifest(
                afterTrainingOn: prepared.rows.summary.trainedHashes,
                learning: prepared.learnt(candidate.training), isFresh: options.resetAdapter),
            origin: PromoteStage.origin(
                of: adapter, outcome, prepared, codeVersion: record.codeVersion))
    }
}
