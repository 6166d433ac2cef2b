import CircadiaTestSupport
import Foundation
import Testing

import CircadiaConversation
import CircadiaFormats
import CircadiaKernels
import CircadiaModel
import CircadiaTokenizer

extension ModelTests {
    @Suite struct LossTests {
        @Test func lossesAreThoseOfTheLogits() throws {
            let model = try TinyModel().load()
            // More than one chunk, and more scored rows than pass through the head together.
            let ids = TinyModel.tokens(1200)
            let scored = [0..<3, 10..<11, 400..<620, 1190..<1200]
            let logits = model.forward(ids, cache: model.makeCache(capacity: 1200), logits: .all)
            var expected = 0.0
            var count = 0
            for position in scored.flatMap({ Array($0) }) where position > 0 {
                let row = logits[position - 1].map(Double.init)
                let maximum = row.max() ?? 0
                expected += maximum + log(row.reduce(0) { $0 + exp($1 - maximum) })
                expected -= row[Int(ids[position])]
                count += 1
            }
            let loss = model.loss(of: ids, scored: scored)
            #expect(loss.tokens == count)
            #expect(abs(loss.nats - expected) < 1e-5 * expected)
            #expect(abs(loss.mean - expected / Double(count)) < 1e-5)
            // Memory that was used before does not matter.
            #expect(model.loss(of: ids, scored: scored) == loss)
            #expect(model.loss(of: [5, 6], scored: [1..<2]).tokens == 1)
        }

        @Test func nothingScoredIsNoLoss() throws {
            let model = try TinyModel().load()
            #expect(model.loss(of: [], scored: []) == ScoredLoss(nats: 0, tokens: 0))
            #expect(model.loss(of: [1, 2, 3], scored: []).mean == 0)
            // The first token has nothing before it; ranges beyond the end are cut.
            #expect(model.loss(of: [1, 2, 3], scored: [0..<1]).tokens == 0)
            #expect(model.loss(of: [1, 2, 3], scored: [2..<9]).tokens == 1)
        }
    }

    /// Losses of LoCoMo chats against those of mlx_lm (`Fixtures/locomo26_losses.jsonl`, which
    /// mlx_lm computed; null where no token of a chat is scored).
    @Suite(
        .enabled(if: Surroundings.chatModel != nil, "smollm2-135m is not installed"),
        .enabled(if: Surroundings.conversations != nil, "there are no conversations of LoCoMo"))
    struct RecordedLossTests {
        struct Record: Decodable {
            var id: String
            var loss: Double?
            var tokens: Int
        }

        struct Chat: Decodable {
            var messages: [ChatMessage]
        }

        /// Relative differences: the largest of a record, and that of the mean over records.
        private func differences(_ precision: Precision) throws -> (worst: Double, mean: Double) {
            let url = try #require(Surroundings.chatModel)
            let model = try AdaptedModel(try ModelDirectory(url), .int8)
            let tokenizer = try BPETokenizer(directory: url)
            let template = try ChatTemplate(directory: url, tokenizer: tokenizer)
            let log = try #require(Surroundings.conversations)
                .appendingPathComponent("memories-26.jsonl")
            let chats = try lines(log).prefix(40).map {
                try JSONDecoder().decode(Chat.self, from: $0)
            }
            let records = try lines(Surroundings.fixture("locomo26_losses.jsonl")).map {
                try JSONDecoder().decode(Record.self, from: $0)
            }
            #expect(records.count == 40)
            var worst = 0.0
            var sum = 0.0
            var expectedSum = 0.0
            for (chat, record) in zip(chats, records) {
                let rendered = template.render(chat.messages, addGenerationPrompt: false)
                let loss = model.loss(
                    of: rendered.ids, scored: rendered.scored, precision: precision)
                #expect(loss.tokens == record.tokens, "\(record.id)")
                guard let expected = record.loss else { continue }
                worst = max(worst, abs(loss.mean / expected - 1))
                sum += loss.mean
                expectedSum += expected
            }
            return (worst, abs(sum / expectedSum - 1))
        }

        private func lines(_ url: URL) throws -> [Data] {
            try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map {
                Data($0.utf8)
            }
        }

        @Test func theExactPathAgrees() throws {
            let found = try differences(.exact)
            #expect(found.worst < 1e-3, "\(found)")
            #expect(found.mean < 1e-4, "\(found)")
        }

        @Test func the8BitPathIsNear() throws {
            let found = try differences(.int8)
            // Rounding noise of every layer; which record is worst is chance.
            #expect(found.worst < 0.03, "\(found)")
            #expect(found.mean < 0.005, "\(found)")
        }
    }
}
