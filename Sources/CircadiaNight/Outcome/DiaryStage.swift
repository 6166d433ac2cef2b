import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaModel
import CircadiaTraining
import Foundation

/// Turns an outcome into the diary that the report reads.
package struct DiaryStage {
    let model: NightModel
    let options: SleepOptions
    let adapterDirectory: URL
    let control: NightControl

    /// Writes the diary. A failure is reported as an event and does not fail the night.
    ///
    /// - Parameters:
    ///   - outcome: the record of the night.
    ///   - material: the night's log.
    ///   - heldOut: the held-out rows.
    ///   - present: the adapter that the night began with.
    ///   - candidate: the adapter that was promoted or rejected.
    package func keep(
        _ outcome: NightOutcome, material: NightMaterial, heldOut: [TrainingRow],
        present: LoRAAdapter?, candidate: LoRAAdapter
    ) {
        let selection = outcome.selection
        do {
            try NightDiaries(beside: adapterDirectory).save(
                NightDiary(
                    outcome,
                    routing: RoutingTally(
                        material, heldOut: Set(selection.heldOutHashes),
                        tonight: Set(selection.hashes.values),
                        replayed: Set(selection.replayedHashes)),
                    answers: try answers(
                        to: heldOut, of: material.log.map(\.clean), present: present,
                        candidate: candidate)))
        } catch {
            control.report(.diaryFailed("\(error)"))
        }
    }

    /// Greedy answers to the latest held-out questions, with the adapter before the night and with
    /// the candidate.
    private func answers(
        to rows: [TrainingRow], of log: [CleanExchange], present: LoRAAdapter?,
        candidate: LoRAAdapter
    ) throws -> [NightDiary.Answer] {
        let exchanges = Dictionary(log.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var answers: [NightDiary.Answer] = []
        var questions: Set<[Int32]> = []
        for row in rows.reversed() where answers.count < options.diaryQuestions {
            guard let start = row.scored.first?.lowerBound, start > 0,
                let exchange = exchanges[row.id],
                questions.insert(Array(row.ids[..<start])).inserted
            else { continue }
            var texts: [String] = []
            for adapter in [present, candidate] {
                if control.isCancelled() { return answers }
                let reply = try model.reply(
                    to: Array(row.ids[..<start]), with: adapter, maxTokens: options.diaryTokens)
                texts.append(
                    Redactor.redact(reply.text).text
                        + (reply.finishReason == .length ? " …" : ""))
            }
            answers.append(
                NightDiary.Answer(
                    exchange: exchange.hash, before: texts[0], after: texts[1]))
        }
        return answers
    }
}
