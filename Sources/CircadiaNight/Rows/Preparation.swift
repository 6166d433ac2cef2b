import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaModel
import CircadiaTraining
import Foundation

/// A night before its first step, as it is kept on disk: its rows and the training options.
package struct PreparedNight: Codable {
    /// The selection in numbers and hashes.
    package let selection: Selection.Summary
    /// The rows.
    package let rows: Rows
    /// The options of training.
    package let trainingOptions: TrainingOptions
    /// The forecast of training.
    package let plan: TrainingPlan
    /// Loss on the held-out rows with the adapter in use, in nats a token; nil if there are none.
    package let heldOutLossBefore: Double?

    /// The rows of the person's own exchanges, held-out ones first.
    package var ownRows: [TrainingRow] { rows.own(selection.hashes.keys) }

    /// The hashes of the exchanges that a training run has learnt.
    package func learnt(_ training: TrainingReport) -> [ContentHash] {
        rows.learnt(training.idsTrained, hashes: selection.hashes)
    }
}

/// Turns a selection into finished rows, with paraphrases, pairs for preferences and general texts.
package struct Preparation {
    let model: NightModel
    let options: SleepOptions
    let texts: NightTexts
    /// The night's number. Each night rehearses other texts and asks other questions.
    package let number: Int
    let control: NightControl

    /// Builds the rows of a selection. The base model writes paraphrases and pairs.
    ///
    /// - Returns: the rows; nil if a signal ended the night.
    /// - Throws: `SleepError.nothingToLearn`, `ModelError`.
    package func rows(of selection: Selection, logPath: String) throws -> Rows? {
        let material = selection.material
        let paraphrased = try paraphrases(of: selection.toParaphrase)
        let wishes = try Wishes.found(
            in: material.log.map(\.clean), night: number, options: options,
            questions: texts.questions, model: model, control: control)
        if control.isCancelled() { return nil }
        let general = Self.sample(
            texts.general,
            count: Int(
                (Double(selection.exchanges.count + wishes.rows) * options.rehearsalShare)
                    .rounded()),
            seed: "\(options.seed)/\(number)"
        ).cleaned
        let rows = build(selection, wishes, paraphrased, general: general)
        guard
            selection.exchanges.contains(where: { !rows.withoutRow.contains($0.id) })
                || !wishes.pairs.training.isEmpty
        else {
            throw SleepError.nothingToLearn(path: logPath, exchanges: material.log.count)
        }
        report(rows, of: selection)
        return rows
    }

    private func build(
        _ selection: Selection, _ wishes: Wishes, _ paraphrased: Paraphraser.Outcome,
        general: [CleanExchange]
    ) -> Rows {
        func renderer(_ material: NightMaterial?, matchesMLX: Bool) -> NightRows {
            NightRows(
                template: model.template, limit: options.maxSequenceLength, material: material,
                heldOut: material == nil ? [] : Set(selection.heldOut.map(\.id)),
                matchesMLX: matchesMLX)
        }
        let said = renderer(selection.material, matchesMLX: options.matchesMLX)
        let plain = renderer(nil, matchesMLX: false)
        let own = said.own(
            (selection.exchanges + paraphrased.exchanges).map(wishes.applied))
        // Replies that break a preference are not measured.
        let measured = selection.measured.map(wishes.applied).filter { $0.scoring == .whole }
        let shown = selection.exchanges + own.context
        return Rows(
            own: own,
            general: renderer(nil, matchesMLX: options.matchesMLX).general(
                general, anchored: options.divergenceWeight != nil,
                scoring: wishes.generalScoring),
            pairs: plain.learnt(
                wishes.pairs.training,
                // A nat of divergence from an answer counts as much as a nat of its own loss.
                pull: Float(1 / max(1, options.divergenceWeight ?? 1))
            ) { model.base.losses(of: $0.ids, scored: $0.scored) },
            heldOut: measured.map(\.exchange).compactMap(said.measured),
            heldOutPairs: plain.measured(wishes.pairs.heldOut),
            heldOutAsSaid: wishes.preferences.isEmpty
                ? [] : selection.measured.compactMap(said.measured),
            summary: Rows.Summary(
                scoredTokens: 0, totalTokens: 0, paraphrases: paraphrased.exchanges.count,
                paraphrasesRefused: Dictionary(
                    uniqueKeysWithValues: paraphrased.refused.map { ($0.key.rawValue, $0.value) }),
                general: general.count, preferences: wishes.summary,
                trainedHashes: Set(
                    shown.map(\.hash) + wishes.hashes
                ).sorted()))
    }

    private func paraphrases(of exchanges: [CleanExchange]) throws -> Paraphraser.Outcome {
        guard options.augmentedPairs > 0 else { return Paraphraser.Outcome() }
        return try Paraphraser(
            model: model.base, tokenizer: model.tokenizer, template: model.template,
            seed: options.seed
        ).paraphrases(
            of: exchanges, limit: options.augmentedPairs, isCancelled: control.isCancelled
        ) { control.report(.paraphrases(good: $0, tried: $1)) }
    }

    /// Draws `count` of `exchanges` by the seed.
    package static func sample(_ exchanges: [Exchange], count: Int, seed: String) -> [Exchange] {
        let order = exchanges.sorted {
            StableHash.of("\(seed)/\($0.id)") < StableHash.of("\(seed)/\($1.id)")
        }
        return Array(order.prefix(count))
    }

    private func report(_ rows: Rows, of selection: Selection) {
        let summary = selection.summary
        control.report(
            .rows(
                NightEvent.RowCounts(
                    scoredTokens: rows.summary.scoredTokens,
                    totalTokens: rows.summary.totalTokens, exchanges: summary.trained,
                    paraphrases: rows.summary.paraphrases, general: rows.summary.general,
                    heldOut: summary.heldOut, measured: selection.measured.count)))
        control.report(
            .selected(new: summary.new, replayed: summary.replayed, waiting: summary.waiting))
        let (rejected, corrected, good) = (
            summary.repliesRejected, summary.repliesCorrected, summary.repliesGood
        )
        guard rejected + corrected + good > 0 else { return }
        control.report(
            .replies(
                rejected: rejected, corrected: corrected, good: good,
                countsDouble: !options.matchesMLX))
    }
}
