import CircadiaAdapters
import CircadiaConversation
import CircadiaFormats
import CircadiaModel
import CircadiaTraining
import Foundation

/// Everything before the first step: begins or resumes a night and builds its rows.
extension Night {
    /// A night that has begun.
    package struct Begun {
        /// The night as it is kept on disk.
        let record: NightRecord
        /// The adapter that it continues from.
        let origin: AdapterOrigin
        /// Its log, and the exchanges of it that may be learnt.
        let material: NightMaterial
    }

    /// Begins a new night and gives up an unfinished one.
    package func begin(_ request: Request, control: NightControl) throws -> Begun {
        let (versions, unfinished) = (place.versions, place.unfinished)
        try versions.adopt()
        let material = NightMaterial(request.exchanges)
        let origin = AdapterOrigin(
            of: place.adapterDirectory, model: model.name,
            unwanted: options.resetAdapter ? [] : material.unwanted)
        if let replacement = origin.replacement { control.report(.originReplaced(replacement)) }
        if unfinished.exists {
            control.report(.gaveUp(started: unfinished.summary?.started))
        }
        if let given = try? unfinished.record() {
            // Files that a killed process was writing.
            AdapterDirectory.removeStrays(beside: versions.url(of: given.number))
        }
        unfinished.discard()
        let record = NightRecord(
            number: versions.nextNumber(), options: options, model: model.name,
            modelFingerprint: model.fingerprint, origin: origin.name,
            exchanges: request.exchanges)
        try unfinished.save(record)
        return Begun(record: record, origin: origin, material: material)
    }

    /// Finds the night to resume.
    ///
    /// - Throws: `SleepError.nightChanged` if its result would differ from that of an uninterrupted
    ///   night.
    package func resume(_ request: Request, control: NightControl) throws -> Begun {
        let record = try place.unfinished.record()
        let differences = record.differences(
            options: options, modelFingerprint: model.fingerprint)
        guard differences.isEmpty else { throw SleepError.nightChanged(differences) }
        let exchanges = try record.exchanges(in: request.exchanges)
        control.report(
            .resumed(
                started: record.started,
                laterExchanges: request.exchanges.count - exchanges.count))
        if record.codeVersion != CodeVersion.current {
            control.report(
                .begunByOtherVersion(record.codeVersion, current: CodeVersion.current))
        }
        do throws(AdapterOrigin.Problem) {
            let origin = try AdapterOrigin(
                beside: place.adapterDirectory, wasNamed: record.origin, model: model.name)
            return Begun(record: record, origin: origin, material: NightMaterial(exchanges))
        } catch {
            throw SleepError.nightChanged([.origin(error)])
        }
    }

    /// Selects exchanges, builds the rows, plans their training and saves all of it. A resumed
    /// night already has it.
    package func prepare(
        _ begun: Begun, material: NightMaterial, present: LoRAAdapter?, request: Request,
        control: NightControl
    ) throws -> (NightRecord, PreparedNight) {
        if let prepared = begun.record.prepared { return (begun.record, prepared) }
        let unfinished = place.unfinished
        let prepared: PreparedNight?
        do {
            prepared = try self.prepared(
                begun, material: material, present: present, request: request, control: control)
        } catch {
            // A resumed night would fail the same way; only an interrupted night is kept.
            unfinished.discard()
            throw error
        }
        guard let prepared else { throw unfinished.interrupted(step: nil, total: 0) }
        var record = begun.record
        record.prepared = prepared
        try unfinished.save(record)
        return (record, prepared)
    }

    /// Prepares the night up to its first step; nil if a signal ended it.
    private func prepared(
        _ begun: Begun, material: NightMaterial, present: LoRAAdapter?, request: Request,
        control: NightControl
    ) throws -> PreparedNight? {
        control.report(.leftOut(material.leftOut))
        let selection = try Selection(
            of: material, ledger: begun.origin.ledger(isFresh: options.resetAdapter),
            options: options, onlyIfDue: request.onlyIfDue, logPath: request.logPath)
        let preparation = Preparation(
            model: model, options: options, texts: texts, number: begun.record.number,
            control: control)
        guard let rows = try preparation.rows(of: selection, logPath: request.logPath) else {
            return nil
        }
        let start = Date()
        let before = model.loss(of: rows.heldOut, with: present)
        let planned = try options.plan(
            rows, present: present, model: model.base.weights,
            // The held-out conversations are measured once more when training has ended.
            secondsAfter: Date().timeIntervalSince(start) + expectedGateSeconds,
            report: control.report)
        return PreparedNight(
            selection: selection.summary, rows: rows, trainingOptions: planned.options,
            plan: planned.plan, heldOutLossBefore: before)
    }

    /// Expected seconds of judging: as long as last time, or 30 if no night was judged before.
    private var expectedGateSeconds: Double {
        if options.gate == nil { return 0 }
        return place.versions.nights.last { $0.gate != nil }?.gateReport?.seconds ?? 30
    }
}
