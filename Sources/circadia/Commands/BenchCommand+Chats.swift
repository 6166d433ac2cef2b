import CircadiaAnalysis
import CircadiaApp
import CircadiaLog
import CircadiaModel
import CircadiaNight
import CircadiaTraining
import Foundation

extension BenchCommand {
    /// Training on the chats of a log with packed and with padded batches, in tokens a second without
    /// padding.
    struct ChatSeries: Encodable {
        let packed: Series
        let padded: Series
        /// The median ratio of packed to padded speed.
        let ratio: Double
        /// The share of padding in the padded batches.
        let paddingShare: Double
    }

    /// Trains on the first batches of a log, in the log's order.
    func measureChats(_ loaded: LoadedModel, log: String) throws -> ChatSeries {
        let tokenizer = try loaded.makeTokenizer()
        let template = try loaded.makeTemplate(tokenizer, dateString: PinnedDate.text)
        let exchanges = try ChatLog.read(URL(fileURLWithPath: log)).exchanges
        let all = NightRows(template: template, limit: 1024).rows(exchanges.cleaned).rows
        let rows = Array(all.prefix(chatBatch * Self.chatSteps))
        let batches = stride(from: 0, to: rows.count, by: chatBatch).map {
            Array(rows[$0..<min($0 + chatBatch, rows.count)])
        }
        func lengths(_ batch: [TrainingRow]) -> [Int] {
            batch.map { ($0.scored.last?.upperBound ?? 1) - 1 }
        }
        let useful = batches.reduce(0) { $0 + lengths($1).reduce(0, +) }
        let computed = batches.reduce(0) { $0 + (lengths($1).max() ?? 0) * $1.count }
        var trainers: [LoRATrainer] = []
        for pads in [false, true] {
            var options = TrainingOptions()
            options.padsRows = pads
            // A padded batch passes through the model whole, as in other programs.
            options.maxTokensPerMicroBatch = 1 << 20
            trainers.append(try LoRATrainer(model: loaded.model, options: options))
        }
        var speeds: [[Double]] = [[], []]
        let clock = ContinuousClock()
        for repetition in 0...reps {
            for (index, trainer) in trainers.enumerated() {
                let duration = try clock.measure {
                    for batch in batches { try trainer.step(rows: batch) }
                }
                if repetition > 0 {
                    speeds[index].append(Double(useful) / (duration / .seconds(1)))
                }
            }
        }
        let ratios = zip(speeds[0], speeds[1]).map { $0 / $1 }.sorted()
        return ChatSeries(
            packed: Series(tokens: useful, tps: speeds[0]),
            padded: Series(tokens: useful, tps: speeds[1]), ratio: ratios[ratios.count / 2],
            paddingShare: 1 - Double(useful) / Double(max(1, computed)))
    }

    private static let chatSteps = 4
}
