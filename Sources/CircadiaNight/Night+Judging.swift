import CircadiaModel
import Foundation

/// The night's judgement of its candidate.
extension Night {
    /// What may be promoted, and why.
    struct Judgement {
        /// The candidate, perhaps with a smaller step; nil where none passes.
        var adapter: LoRAAdapter?
        /// Why, in one sentence.
        var verdict: String
        /// Its loss on the held-out conversations; of a rejected night that of the whole step.
        var heldOutLoss: Double?
        /// The figures; nil without a gate.
        var gate: GateReport?
    }

    /// Judges what training came to.
    ///
    /// - Parameters:
    ///   - beginning: the adapter before training.
    ///   - candidate: the adapter after it.
    ///   - prepared: the night's rows.
    ///   - isCancelled: asked between measurements.
    ///   - report: told about each candidate.
    /// - Returns: what may be promoted.
    /// - Throws: `SleepError.interrupted`, `ModelError`.
    func judge(
        from beginning: LoRAAdapter, to candidate: LoRAAdapter, _ prepared: NightRecord.Prepared,
        isCancelled: @escaping () -> Bool, report: @escaping (Event) -> Void
    ) throws -> Judgement {
        let before = prepared.heldoutLossBefore
        guard let limits = options.gate else {
            let after = heldOutLoss(of: prepared.heldOut, with: candidate)
            let isFinite = after?.isFinite ?? true
            return Judgement(
                adapter: isFinite ? candidate : nil,
                verdict: !isFinite
                    ? "rejected: the held-out loss is not finite"
                    : "promoted without a gate" + Self.change(before, after),
                heldOutLoss: after)
        }
        let gate = Gate(
            base: base, modelFingerprint: modelFingerprint, tokenizer: tokenizer,
            template: template, limits: limits, material: material,
            baseURL: versions.root.appendingPathComponent("base_measures.json"),
            opening: prepared.preferenceOpening, ownRows: prepared.ownRows,
            isCancelled: isCancelled)
        do {
            let (figures, accepted) = try gate.judge(
                from: beginning, to: candidate,
                heldOut: { heldOutLoss(of: prepared.heldOut, with: $0) },
                asSaid: { heldOutLoss(of: prepared.heldOutAsSaid ?? [], with: $0) },
                heldOutBefore: before
            ) { report(.note($0)) }
            guard let attempt = figures.accepted else {
                let reasons = figures.attempts.first?.reasons.joined(separator: "; ") ?? ""
                return Judgement(
                    verdict: "rejected: \(reasons); yesterday's adapter stays",
                    heldOutLoss: figures.attempts.first?.heldoutLoss, gate: figures)
            }
            let step =
                attempt.share == 1
                ? "promoted" : String(format: "promoted at %g of the night's step", attempt.share)
            let facts = attempt.figures
            return Judgement(
                adapter: accepted,
                verdict: step + Self.change(before, attempt.heldoutLoss)
                    + (facts.isEmpty ? "" : "; " + facts),
                heldOutLoss: attempt.heldoutLoss, gate: figures)
        } catch is Gate.Cancelled {
            throw SleepError.interrupted(
                step: prepared.trainingOptions.iterations,
                total: prepared.trainingOptions.iterations,
                folder: UnfinishedNight(of: adapterDirectory).url.relativePath)
        }
    }

    private static func change(_ before: Double?, _ after: Double?) -> String {
        guard let before, let after else { return ": the log is too short to hold anything out" }
        return String(format: ": held-out loss %.3f → %.3f", before, after)
    }
}
