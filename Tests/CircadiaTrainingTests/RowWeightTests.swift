import Foundation
import Testing

import CircadiaTraining

extension TrainingTests {
    /// What a row's weight means: as much as the row would count when it is there more than once.
    struct RowWeightTests {
        private func trainer(
            _ tiny: TinyModel, _ change: (inout TrainingOptions) -> Void = { _ in }
        ) throws -> LoRATrainer {
            var options = TinyModel.options
            change(&options)
            return try LoRATrainer(
                model: tiny.model, options: options, initial: tiny.adapter(options))
        }

        private func expectSame(
            _ a: GradientTests.Gradients, _ b: GradientTests.Gradients, within tolerance: Double
        ) {
            #expect(a.count == b.count)
            for (x, y) in zip(a, b) {
                #expect(relativeDistance(x.da, y.da) <= tolerance, "\(x.projection)")
                #expect(relativeDistance(x.db, y.db) <= tolerance, "\(x.projection)")
            }
        }

        @Test func weightTwoIsTheRowTwice() throws {
            let tiny = try TinyModel()
            var rows = TinyModel.rows([20, 13, 31])
            let twice = [rows[0], rows[1], rows[1], rows[2]]
            rows[1].weight = 2
            let trainer = try trainer(tiny)
            let expected = try trainer.gradients(rows: twice)
            expectSame(try trainer.gradients(rows: rows), expected, within: 1e-5)
            let apart = try self.trainer(tiny) { $0.maxTokensPerMicroBatch = 1 }
            expectSame(try apart.gradients(rows: rows), expected, within: 1e-5)
            let loss = try self.trainer(tiny).step(rows: twice).loss
            let report = try trainer.step(rows: rows)
            #expect(abs(report.loss - loss) < 1e-6 * loss)
            #expect(report.scoredTokens == rows.reduce(0) { $0 + $1.scored.joined().count })
        }

        @Test func rowsThatKeepToTheBaseWeighTheSameWay() throws {
            let tiny = try TinyModel()
            var rows = TinyModel.rows([20, 13, 31, 9])
            rows[1].anchored = rows[1].scored
            rows[3].anchored = rows[3].scored
            let trainer = try trainer(tiny) { $0.divergenceWeight = 0.7 }
            let expected = try trainer.gradients(
                rows: [rows[0], rows[0], rows[0], rows[1], rows[2], rows[3], rows[3]])
            rows[0].weight = 3
            rows[3].weight = 2
            expectSame(try trainer.gradients(rows: rows), expected, within: 1e-5)
        }

        @Test func equalWeightsChangeNothingButTheWholeScale() throws {
            let tiny = try TinyModel()
            var rows = TinyModel.rows([20, 13])
            let trainer = try trainer(tiny)
            let plain = try trainer.gradients(rows: rows)
            for index in rows.indices { rows[index].weight = 2 }
            expectSame(try trainer.gradients(rows: rows), plain, within: 1e-6)
        }

        @Test func measuringDoesNotWeigh() throws {
            let tiny = try TinyModel()
            var rows = TinyModel.rows([20, 13])
            let trainer = try trainer(tiny)
            let plain = try trainer.loss(rows: rows)
            rows[1].weight = 5
            let weighted = try trainer.loss(rows: rows)
            #expect(plain.tokens == weighted.tokens)
            #expect(abs(plain.nats - weighted.nats) < 1e-6 * plain.nats)
        }

        @Test func rowsAreWrittenAndReadWithTheirWeights() throws {
            let row = TrainingRow(
                id: "a", ids: [1, 2, 3], scored: [1..<3], anchored: [2..<3], weight: 2, pull: 0.5)
            let bytes = try JSONEncoder().encode(row)
            #expect(try JSONDecoder().decode(TrainingRow.self, from: bytes) == row)
            let plain = row.asInMLX(maxSequenceLength: 8)
            #expect(plain.weight == 1 && plain.anchored.isEmpty)
            let text = String(decoding: bytes, as: UTF8.self)
            for (good, bad) in [
                (#""weight":2"#, #""weight":0"#), (#""weight":2"#, #""other":2"#),
                (#""pull":0.5"#, #""pull":-1"#),
            ] {
                #expect(text.contains(good))
                let broken = text.replacingOccurrences(of: good, with: bad)
                #expect(throws: DecodingError.self) {
                    try JSONDecoder().decode(TrainingRow.self, from: Data(broken.utf8))
                }
            }
        }

        @Test func aTrainingKnowsWhichRowsItWasMadeOf() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([20, 13, 9, 12, 15])
            func trained(_ steps: Int) throws -> Set<String> {
                let trainer = try trainer(tiny) {
                    $0.iterations = steps
                    $0.batchSize = 2
                }
                return try trainer.train(rows: rows).idsTrained
            }
            #expect(try trained(2) == ["row 0", "row 1", "row 2", "row 3"])
            #expect(try trained(3).count == 5)
        }
    }
}
