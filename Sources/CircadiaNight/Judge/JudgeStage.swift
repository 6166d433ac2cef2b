import CircadiaModel
import CircadiaTraining

/// Turns a candidate into a verdict.
package struct JudgeStage {
    let model: NightModel
    let options: SleepOptions
    let material: GateMaterial
    let place: NightPlace
    let control: NightControl

    /// Judges a candidate.
    ///
    /// - Returns: the verdict, and the adapter to promote: the candidate, perhaps with a smaller
    ///   step; nil if none passes.
    /// - Throws: `SleepError.interrupted`, `ModelError`.
    package func judge(
        _ candidate: Candidate, _ prepared: PreparedNight
    ) throws -> (verdict: Verdict, accepted: LoRAAdapter?) {
        let rows = prepared.rows
        guard let limits = options.gate else { return ungated(candidate, prepared) }
        let gate = Gate(
            model: model, limits: limits, material: material, baseURL: place.baseMeasuresURL,
            control: control)
        do {
            return try gate.judge(
                from: candidate.before, to: candidate.after,
                by: Gate.Night(
                    heldOutBefore: prepared.heldOutLossBefore, heldOut: rows.heldOut,
                    heldOutAsSaid: rows.heldOutAsSaid, opening: rows.summary.preferences.opening,
                    ownRows: prepared.ownRows))
        } catch is Gate.Cancelled {
            let steps = prepared.trainingOptions.iterations
            throw place.unfinished.interrupted(step: steps, total: steps)
        }
    }

    /// Without a gate, only a loss that is not finite is rejected.
    private func ungated(
        _ candidate: Candidate, _ prepared: PreparedNight
    ) -> (verdict: Verdict, accepted: LoRAAdapter?) {
        var attempt = Verdict.Attempt(share: 1)
        let loss = model.loss(of: prepared.rows.heldOut, with: candidate.after)
        attempt.heldOutLoss = loss
        if loss?.isFinite == false { attempt.reasons = [.heldOutLossNotFinite] }
        let verdict = Verdict(
            isGated: false, heldOutLossBefore: prepared.heldOutLossBefore, attempts: [attempt])
        return (verdict, attempt.passes ? candidate.after : nil)
    }
}
