import CircadiaEvaluation
import CircadiaModel
import CircadiaTraining
import Foundation

/// Judges a candidate before it is used. If it does not pass, the gate tries a smaller step in the
/// same direction.
///
/// The cheap measurements come first: held-out loss, general texts, replies, harness. The first
/// failure ends a candidate's trial.
package struct Gate {
    let model: NightModel
    let limits: GateLimits
    let material: GateMaterial
    /// The file that keeps the base model's own figures from night to night.
    package let baseURL: URL
    let control: NightControl

    /// The measurements and rows of a night that its candidate is judged by.
    package struct Night {
        /// The loss of the held-out rows before the night, in nats a token; nil if no rows are held
        /// out.
        let heldOutBefore: Double?
        /// The held-out rows.
        let heldOut: [TrainingRow]
        /// The held-out conversations word for word, if preferences changed their replies;
        /// otherwise empty.
        let heldOutAsSaid: [TrainingRow]
        /// The beginning of an answer that follows the stated preferences; nil if no preference is
        /// stated.
        let opening: String?
        /// Rows of the person's own exchanges, held-out ones first. Candidates answer their
        /// questions.
        let ownRows: [TrainingRow]
    }

    /// Thrown out of the measurements if a signal arrives.
    package struct Cancelled: Error {}

    private func subject(_ adapted: AdaptedModel) -> ModelSubject {
        ModelSubject(model: adapted, tokenizer: model.tokenizer, template: model.template)
    }

    /// Judges the step from `start`, the adapter before the night, to `end`.
    ///
    /// - Parameters:
    ///   - start: the adapter before training, present or fresh.
    ///   - end: the adapter after it.
    ///   - night: the measurements and rows that it is judged by.
    /// - Returns: the verdict, and the candidate that passed.
    /// - Throws: `Cancelled`, `ModelError`.
    package func judge(
        from start: LoRAAdapter, to end: LoRAAdapter, by night: Night
    ) throws -> (verdict: Verdict, accepted: LoRAAdapter?) {
        let clock = Date()
        var base: BaseMeasures?
        var attempts: [Verdict.Attempt] = []
        var accepted: LoRAAdapter?
        for share in limits.shares {
            let candidate =
                share == 1 ? end : interpolated(from: start, to: end, share: Float(share))
            let attempt = try trial(candidate, share: share, by: night, base: &base)
            attempts.append(attempt)
            control.report(.judged(attempt))
            guard attempt.passes else { continue }
            accepted = candidate
            break
        }
        let verdict = Verdict(
            isGated: true, heldOutLossBefore: night.heldOutBefore, attempts: attempts,
            repliesBase: base?.replies, seconds: Date().timeIntervalSince(clock))
        return (verdict, accepted)
    }

    private func interpolated(
        from start: LoRAAdapter, to end: LoRAAdapter, share: Float
    ) -> LoRAAdapter {
        // Applying the adapter fills fresh magnitudes from the weights.
        _ = model.base.with(start)
        return end.interpolated(from: start, share: share)
    }

    private func trial(
        _ candidate: LoRAAdapter, share: Double, by night: Night, base: inout BaseMeasures?
    ) throws -> Verdict.Attempt {
        var attempt = Verdict.Attempt(share: share)
        measureLoss(&attempt, candidate, night)
        if !attempt.passes { return attempt }
        let adapted = model.base.with(candidate)
        try measureGeneral(&attempt, adapted, night)
        if !attempt.passes || material.isEmpty { return attempt }
        attempt.ownReplies = try ownReplies(of: adapted, to: night.ownRows)
        if let own = attempt.ownReplies { attempt.reasons = limits.reasons(own: own) }
        if !attempt.passes { return attempt }
        let known = try base ?? measureBase()
        base = known
        let replies = try replyProbe(adapted)
        attempt.replies = replies
        attempt.reasons = limits.reasons(replies, base: known.replies)
        if !attempt.passes || material.prompts.isEmpty { return attempt }
        let result = Self.compare(
            try harness(adapted), passedBase: Set(known.passed), prompts: material.prompts)
        attempt.harness = result
        attempt.reasons = limits.reasons(result)
        return attempt
    }

    private func measureLoss(
        _ attempt: inout Verdict.Attempt, _ candidate: LoRAAdapter, _ night: Night
    ) {
        let loss = model.loss(of: night.heldOut, with: candidate)
        attempt.heldOutLoss = loss.flatMap { $0.isFinite ? $0 : nil }
        attempt.reasons = limits.reasons(heldOut: loss, before: night.heldOutBefore)
        guard attempt.passes else { return }
        attempt.reasons = limits.reasons(
            asSaid: model.loss(of: night.heldOutAsSaid, with: candidate))
    }

    private func measureGeneral(
        _ attempt: inout Verdict.Attempt, _ adapted: AdaptedModel, _ night: Night
    ) throws {
        attempt.general = GeneralDrift.measure(
            model: adapted, tokenizer: model.tokenizer, template: model.template,
            texts: material.texts, opening: night.opening, isCancelled: control.isCancelled)
        if control.isCancelled() { throw Cancelled() }
        if let general = attempt.general { attempt.reasons = limits.reasons(general) }
    }

    /// The most questions of the person that a candidate answers.
    private static let ownQuestions = 8

    /// A candidate's replies to the person's own questions; nil if there are none.
    private func ownReplies(
        of adapted: AdaptedModel, to rows: [TrainingRow]
    ) throws -> ReplyProbe? {
        var replies: [String] = []
        for row in rows.prefix(Self.ownQuestions) {
            if control.isCancelled() { throw Cancelled() }
            guard let start = row.scored.first?.lowerBound, start > 0 else { continue }
            replies.append(
                try adapted.generate(
                    prompt: Array(row.ids[..<start]), tokenizer: model.tokenizer,
                    stopTokens: model.template.stopTokens, options: .greedy(maxTokens: 32)
                ).text)
        }
        return replies.isEmpty ? nil : ReplyProbe(replies)
    }

    private func replyProbe(_ adapted: AdaptedModel) throws -> ReplyProbe {
        guard
            let replies = try ReplyProbe.measure(
                subject(adapted), questions: material.texts, isCancelled: control.isCancelled)
        else { throw Cancelled() }
        return replies
    }

    private func harness(_ adapted: AdaptedModel) throws -> HarnessReport {
        try Harness(subject: subject(adapted)).run(material.prompts) { _, _ in
            if control.isCancelled() { throw Cancelled() }
        }
    }

    /// Pairs a candidate's harness results with the base model's.
    package static func compare(
        _ after: HarnessReport, passedBase: Set<String>, prompts: [HarnessPrompt]
    ) -> Verdict.HarnessResult {
        let comparison = HarnessComparison(
            before: Dictionary(
                prompts.map { ($0.id, passedBase.contains($0.id)) },
                uniquingKeysWith: { first, _ in first }), after: after)
        return Verdict.HarnessResult(
            passedBase: passedBase.count, passed: after.passed, total: after.results.count,
            gained: comparison.gained.count, lost: comparison.lost.count,
            pValue: comparison.pValue,
            categories: Dictionary(grouping: after.results, by: \.category.rawValue)
                .sorted { $0.key < $1.key }.map { name, results in
                    Verdict.HarnessResult.Category(
                        name: name, passedBase: results.count { passedBase.contains($0.id) },
                        passed: results.count(where: \.passed), total: results.count)
                })
    }

    /// The base model's figures, read from the file if they belong to the same model and material.
    private func measureBase() throws -> BaseMeasures {
        let key = BaseMeasures.key(of: model, material: material)
        if let known = BaseMeasures.read(baseURL, key: key) { return known }
        let measures = BaseMeasures(
            key: key, replies: try replyProbe(model.base),
            passed: try harness(model.base).results.filter(\.passed).map(\.id))
        measures.write(to: baseURL)
        return measures
    }
}
