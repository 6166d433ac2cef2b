import CircadiaAdapters

extension NightManifest {
    /// The manifest of a night that has ended.
    package init(_ outcome: NightOutcome) {
        let night = outcome.night
        self.init(version: night.number, adapter: night.adapterName)
        parent = night.parent
        started = night.started
        seconds = outcome.seconds
        accepted = outcome.isAccepted
        verdict = outcome.verdict.description
        model = night.model
        modelFingerprint = night.modelFingerprint
        recipe = RecipeFormat.recipe(of: night.options)
        exchangesTrained = outcome.selection.trained
        exchangesNew = outcome.selection.new
        exchangesReplayed = outcome.selection.replayed
        tokensTrained = outcome.training.tokens
        steps = outcome.training.finalStep
        trainLoss = outcome.training.lossLast
        heldoutLossBefore = outcome.verdict.heldOutLossBefore
        heldoutLossAfter = outcome.verdict.heldOutLossAfter
        gate = GateReport(outcome.verdict)?.json
        codeVersion = night.codeVersion
        trained = outcome.rows.trainedHashes
        heldOut = outcome.selection.heldOutHashes.sorted()
    }

    /// The gate's figures; nil if no gate judged.
    package var gateReport: GateReport? { gate.flatMap(GateReport.init(json:)) }
}
