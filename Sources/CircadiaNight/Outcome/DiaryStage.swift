import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaModel
import CircadiaTraining
import Foundation

/// From an outcome to the diary that the morning's report reads.
struct DiaryStage {
    let model: NightModel
    let options: SleepOptions
    let adapterDirectory: URL
    let control: NightControl

    /// Keeps the diary; a night is not lost over it.
    ///
    /// - Parameters:
    ///   - outcome: the night.
    ///   - material: its log.
    ///   - heldOut: the rows that were held out.
    ///   - present: the adapter that the night began with.
    ///   - candidate: what is promoted, or was rejected.
    func keep(
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

    /// Greedy answers to the latest questions that were held out, before and after.
    private func answers(
        to rows: [TrainingRow], of log: [CleanExchange], present: LoRAAdapter?, candidate: LoRAAdapter
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
