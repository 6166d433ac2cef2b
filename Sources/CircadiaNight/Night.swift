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
/// Each stage is a function from values to values: select → rows → train → judge → promote. The
/// adapter in use does not change before promotion, which swaps its folder atomically. Until then
/// the night is kept next to it (`UnfinishedNight`). It can be resumed however the process ended,
/// and gives the same bits.
package struct Night {
    /// An event of a night.
    package typealias Event = NightEvent

    let model: NightModel
    let place: NightPlace
    let texts: NightTexts
    let options: SleepOptions

    /// Versions that are kept by default.
    package static let usualVersions = 30

    /// A night for a model.
    ///
    /// - Parameters:
    ///   - model: the model to train.
    ///   - place: the folder of its adapter.
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

    /// A caller's request for a night.
    package struct Request: Sendable {
        /// The log, in order.
        package var exchanges: [CleanExchange]
        /// The log's path, for errors.
        package var logPath: String
        /// Resumes the unfinished night. It trains the exchanges of that time and ends with the
        /// adapter that it would have had without the interruption.
        package var resumes = false
        /// Throws `SleepError.nothingDue` if no exchange is new and none is due for rehearsal.
        package var onlyIfDue = false

        /// Makes a request for a night over a log.
        package init(
            exchanges: [CleanExchange], logPath: String, resumes: Bool = false,
            onlyIfDue: Bool = false
        ) {
            self.exchanges = exchanges
            self.logPath = logPath
            self.resumes = resumes
            self.onlyIfDue = onlyIfDue
        }
    }

    /// Runs the night.
    ///
    /// - Parameters:
    ///   - request: the log and whether to resume.
    ///   - isCancelled: called between steps. A cancelled night throws `SleepError.interrupted`,
    ///     keeps its work for a resumption and changes nothing else.
    ///   - report: receives the night's events.
    /// - Returns: the record of the night.
    /// - Throws: `SleepError` if there is nothing to learn or to resume, `TrainingError` if
    ///   training fails, `ModelError` or a file error if the present adapter does not fit or the
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
        let begun =
            try request.resumes
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
