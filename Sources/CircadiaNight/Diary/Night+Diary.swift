import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaModel
import CircadiaTraining
import Foundation

/// What a night writes down for the morning.
extension Night {
    /// Keeps the diary; a night is not lost over it.
    ///
    /// - Parameters:
    ///   - result: the night's report.
    ///   - record: the night.
    ///   - prepared: its rows.
    ///   - training: what training came to.
    ///   - evaluations: held-out losses on the way.
    ///   - material: the night's exchanges.
    ///   - present: the adapter that it began with.
    ///   - candidate: what is promoted, or was rejected.
    ///   - isCancelled: asked between answers; the rest is left out then.
    ///   - report: told where it cannot be written.
    func keepDiary(
        _ result: NightReport, _ record: NightRecord, _ prepared: NightRecord.Prepared,
        _ training: TrainingReport, evaluations: [NightDiary.Point], material: NightMaterial,
        present: LoRAAdapter?, candidate: LoRAAdapter, isCancelled: () -> Bool,
        report: (Event) -> Void
    ) {
        do {
            var heldOut = evaluations.filter { $0.step > 0 && $0.step < training.steps.count }
            if let loss = result.heldoutLossBefore {
                heldOut.insert(NightDiary.Point(step: 0, loss: loss), at: 0)
            }
            if let loss = result.heldoutLossAfter {
                heldOut.append(NightDiary.Point(step: training.steps.count, loss: loss))
            }
            let diary = NightDiary(
                report: result, started: record.started,
                trainingLoss: NightDiary.thinned(
                    training.steps.map { NightDiary.Point(step: $0.step, loss: $0.loss) }),
                heldOutLoss: heldOut,
                routing: RoutingTally(
                    material, heldOut: Set(prepared.heldOutHashes),
                    tonight: Set(prepared.ledgerHashes.values),
                    replayed: Set(prepared.replayedHashes)),
                answers: try answers(
                    prepared, log: material.log.map(\.clean), present: present,
                    candidate: candidate,
                    isCancelled: isCancelled))
            try NightDiaries(beside: adapterDirectory).save(diary)
        } catch {
            report(.note("the diary of this night could not be kept: \(error)"))
        }
    }

    /// Greedy answers to the latest questions that were held out, before and after.
    private func answers(
        _ prepared: NightRecord.Prepared, log: [CleanExchange], present: LoRAAdapter?,
        candidate: LoRAAdapter, isCancelled: () -> Bool
    ) throws -> [NightDiary.Answer] {
        let exchanges = Dictionary(log.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var answers: [NightDiary.Answer] = []
        var questions: Set<[Int32]> = []
        for row in prepared.heldOut.reversed() where answers.count < options.diaryQuestions {
            guard let start = row.scored.first?.lowerBound, start > 0,
                let exchange = exchanges[row.id],
                questions.insert(Array(row.ids[..<start])).inserted
            else { continue }
            var texts: [String] = []
            for adapter in [present, candidate] {
                if isCancelled() { return answers }
                let reply = try base.with(adapter).generate(
                    prompt: Array(row.ids[..<start]), tokenizer: tokenizer,
                    stopTokens: template.stopTokens,
                    options: .greedy(maxTokens: options.diaryTokens))
                texts.append(
                    Redactor.redact(reply.text).text
                        + (reply.finishReason == .length ? " …" : ""))
            }
            answers.append(
                NightDiary.Answer(
                    exchange: exchange.hash, before: texts[0],
                    after: texts[1]))
        }
        return answers
    }
}
