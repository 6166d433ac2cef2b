import CircadiaEvaluation
import CircadiaFiles
import CircadiaKernels
import CircadiaModel
import CircadiaTokenizer
import CircadiaTraining
import Foundation

/// What a gate measures with: general texts and the harness's prompts, either of which may be empty.
package struct GateMaterial: Sendable {
    let texts: [GeneralText]
    let prompts: [HarnessPrompt]

    /// Material of a gate.
    package init(texts: [GeneralText] = [], prompts: [HarnessPrompt] = []) {
        self.texts = texts
        self.prompts = prompts
    }
}

/// Judges a candidate before anybody meets it; where it does not pass, a smaller step in the same
/// direction is tried.
///
/// The cheap measurements come first: held-out loss, general texts, replies, harness. The first that a
/// candidate fails ends its trial.
struct Gate {
    /// The base model.
    let base: AdaptedModel
    let modelFingerprint: String
    let tokenizer: BPETokenizer
    let template: ChatTemplate
    let limits: GateLimits
    let material: GateMaterial
    /// Where the base model's own figures are kept from night to night.
    let baseURL: URL
    /// How answers begin where the person said how they should be; nil where general replies keep their manner.
    let opening: String?
    /// Rows of the person's own exchanges, held out ones first: their questions are put to candidates.
    let ownRows: [TrainingRow]
    let isCancelled: () -> Bool

    /// The base model's figures, which nothing but the model, the material and the program change.
    private struct BaseMeasures: Codable {
        var key: String
        var replies: ReplyProbe
        /// Ids of the tasks that it passes.
        var passed: [String]
    }

    /// Thrown through the measurements where a signal came.
    struct Cancelled: Error {}

    private func subject(_ model: AdaptedModel) -> ModelSubject {
        ModelSubject(model: model, tokenizer: tokenizer, template: template)
    }

    /// Judges the way from `start`, where the night began, to `end`.
    ///
    /// - Parameters:
    ///   - start: the adapter before training, whole or fresh.
    ///   - end: the adapter after it.
    ///   - heldOut: the loss of the held-out conversations with an adapter.
    ///   - asSaid: the same of those conversations word for word, where preferences made a difference; nil
    ///     elsewhere.
    ///   - heldOutBefore: that loss with the adapter in use; nil where none are held out.
    ///   - report: told about each candidate.
    /// - Returns: the figures, and the candidate that passed.
    /// - Throws: `Cancelled`, `ModelError`.
    func judge(
        from start: LoRAAdapter, to end: LoRAAdapter, heldOut: (LoRAAdapter) -> Double?,
        asSaid: (LoRAAdapter) -> Double?,
        heldOutBefore: Double?, report: (String) -> Void
    ) throws -> (GateReport, LoRAAdapter?) {
        let clock = Date()
        var result = GateReport()
        var known: BaseMeasures?
        for share in limits.shares {
            let candidate =
                share == 1 ? end : interpolated(from: start, to: end, share: Float(share))
            let attempt = try trial(
                candidate, share: share, heldOut: heldOut(candidate),
                asSaid: { asSaid(candidate) },
                heldOutBefore: heldOutBefore,
                known: &known)
            result.attempts.append(attempt)
            let name = share == 1 ? "candidate" : String(format: "%g of its step", share)
            report(
                "judged: \(name): "
                    + (attempt.passes ? "passes" : attempt.reasons.joined(separator: "; ")))
            if attempt.passes {
                result.repliesBase = known?.replies
                result.seconds = Date().timeIntervalSince(clock)
                return (result, candidate)
            }
        }
        result.repliesBase = known?.replies
        result.seconds = Date().timeIntervalSince(clock)
        return (result, nil)
    }

    private func interpolated(
        from start: LoRAAdapter, to end: LoRAAdapter, share: Float
    ) -> LoRAAdapter {
        // Fresh magnitudes take their numbers from the weights.
        _ = base.with(start)
        return end.interpolated(from: start, share: share)
    }

    private func trial(
        _ candidate: LoRAAdapter, share: Double, heldOut: Double?, asSaid: () -> Double?,
        heldOutBefore: Double?,
        known: inout BaseMeasures?
    ) throws -> GateReport.Attempt {
        var attempt = GateReport.Attempt(share: share)
        attempt.heldoutLoss = heldOut.flatMap { $0.isFinite ? $0 : nil }
        attempt.reasons = limits.reasons(heldOut: heldOut, before: heldOutBefore)
        if attempt.passes { attempt.reasons = limits.reasons(asSaid: asSaid()) }
        if !attempt.passes { return attempt }

        let model = base.with(candidate)
        attempt.general = GeneralDrift.measure(
            model: model, tokenizer: tokenizer, template: template,
            texts: material.texts, opening: opening, isCancelled: isCancelled)
        if isCancelled() { throw Cancelled() }
        if let general = attempt.general {
            attempt.reasons = limits.reasons(general)
        }
        if !attempt.passes || (material.texts.isEmpty && material.prompts.isEmpty) {
            return attempt
        }

        attempt.ownReplies = try ownReplies(of: model)
        if let own = attempt.ownReplies { attempt.reasons = limits.reasons(own: own) }
        if !attempt.passes { return attempt }

        let ofBase = try known ?? measureBase()
        known = ofBase
        guard
            let replies = try ReplyProbe.measure(
                subject(model), questions: material.texts, isCancelled: isCancelled)
        else { throw Cancelled() }
        attempt.replies = replies
        attempt.reasons = limits.reasons(replies, base: ofBase.replies)
        if !attempt.passes || material.prompts.isEmpty { return attempt }

        let after = try harness(of: model)
        let passedBase = Set(ofBase.passed)
        let comparison = HarnessComparison(
            before: Dictionary(
                material.prompts.map { ($0.id, passedBase.contains($0.id)) },
                uniquingKeysWith: { first, _ in first }), after: after)
        let score = GateReport.Score(
            passedBase: passedBase.count, passed: after.passed, total: after.results.count,
            gained: comparison.gained.count, lost: comparison.lost.count,
            pValue: comparison.pValue,
            categories: Dictionary(grouping: after.results, by: \.category.rawValue)
                .sorted { $0.key < $1.key }.map { name, results in
                    GateReport.Score.Category(
                        name: name,
                        passedBase: results.count { passedBase.contains($0.id) },
                        passed: results.count(where: \.passed), total: results.count)
                })
        attempt.harness = score
        attempt.reasons = limits.reasons(score)
        return attempt
    }

    /// Questions of the person that are put to a candidate at most.
    private static let ownQuestions = 8

    /// What a candidate says to the person's own questions; nil where there are none.
    private func ownReplies(of model: AdaptedModel) throws -> ReplyProbe? {
        var replies: [String] = []
        for row in ownRows.prefix(Self.ownQuestions) {
            if isCancelled() { throw Cancelled() }
            guard let start = row.scored.first?.lowerBound, start > 0 else { continue }
            replies.append(
                try model.generate(
                    prompt: Array(row.ids[..<start]), tokenizer: tokenizer,
                    stopTokens: template.stopTokens, options: .greedy(maxTokens: 32)
                ).text)
        }
        return replies.isEmpty ? nil : ReplyProbe(replies)
    }

    private func harness(of model: AdaptedModel) throws -> HarnessReport {
        try Harness(subject: subject(model)).run(material.prompts) { _, _ in
            if isCancelled() { throw Cancelled() }
        }
    }

    /// The base model's figures, from the file where they are of the same model and material.
    private func measureBase() throws -> BaseMeasures {
        let key = String(
            StableHash.of(
                "\(modelFingerprint)/\(KernelRuntime.isa)/\(base.precision)/\(CodeVersion.release)/"
                    + "\(material.texts)/\(material.prompts)"), radix: 16)
        if let data = try? Data(contentsOf: baseURL),
            let known = try? JSONDecoder().decode(BaseMeasures.self, from: data), known.key == key
        {
            return known
        }
        guard
            let replies = try ReplyProbe.measure(
                subject(base), questions: material.texts, isCancelled: isCancelled)
        else { throw Cancelled() }
        let measures = BaseMeasures(
            key: key, replies: replies,
            passed: try harness(of: base).results.filter(\.passed).map(\.id))
        // It is only a saving of time.
        if let data = try? JSONEncoder().encode(measures) {
            try? DurableFile.write(Array(data), to: baseURL)
        }
        return measures
    }
}
