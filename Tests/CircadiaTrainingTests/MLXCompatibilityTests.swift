import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFormats
import CircadiaModel
import CircadiaTraining

extension TrainingTests {
    /// mlx_lm.lora's own semantics, against mlx_lm.lora.
    struct MLXCompatibilityTests {
        /// What `Fixtures/mlx_lora.py` prints.
        struct Record: Decodable {
            var seed: UInt64
            var batch, rank, layers, length: Int
            var learningRate: Float
            var scale: Double
            var rows, validationRows: [[Int32]]
            var losses: [Double]
        }

        /// `2·hash − 1`, as the recording script says.
        private func uniform(_ tensor: Int, _ index: Int) -> Double {
            var x = UInt32(truncatingIfNeeded: UInt64(index) &+ UInt64(tensor) &* 0x1_0000_0001)
            x ^= x >> 16
            x &*= 0x7feb_352d
            x ^= x >> 15
            x &*= 0x846c_a68b
            x ^= x >> 16
            return Double(x) / 0x1p31 - 1
        }

        /// The losses of the record's steps here, from the same initial adapter and rows.
        private func losses(_ record: Record, _ model: LlamaModel) throws -> [Double] {
            var options = TrainingOptions()
            options.iterations = record.losses.count
            options.batchSize = record.batch
            options.learningRate = record.learningRate
            options.rank = record.rank
            options.scale = record.scale
            options.layers = record.layers
            options.maxSequenceLength = record.length
            options.seed = record.seed
            options.precision = .exact
            options.matchMLX()
            let adapter = LoRAAdapter(
                configuration: options.adapterConfiguration, model: model.configuration, seed: 0)
            for (number, (_, _, pair)) in adapter.allPairs.enumerated() {
                let bound = 1 / Double(pair.inputs).squareRoot()
                for index in 0..<pair.a.count {
                    pair.a[index] = Float(uniform(2 * number, index) * bound)
                }
                for index in 0..<pair.b.count {
                    pair.b[index] = Float(uniform(2 * number + 1, index) * 0.001)
                }
            }
            func rows(_ ids: [[Int32]]) -> [TrainingRow] {
                ids.enumerated().map { index, ids in
                    TrainingRow(id: "\(index)", ids: ids, scored: [])
                        .asInMLX(maxSequenceLength: record.length)
                }
            }
            let trainer = try LoRATrainer(model: model, options: options, initial: adapter)
            return try trainer.train(
                rows: rows(record.rows), heldOut: rows(record.validationRows)
            ).steps.map(\.loss)
        }

        /// A random model of three small blocks with the default model's tokenizer.
        @Test(
            .enabled(
                if: Surroundings.peersPython != nil && Surroundings.chatModel != nil,
                "CIRCADIA_PEERS_PYTHON is not set or smollm2-135m cannot be had"))
        func lossesAreMLXs() throws {
            let folder = try TemporaryFolder()
            var object = TinyModel.configuration
            object["vocab_size"] = .integer(49152)
            var options = RandomModel.Options()
            options.groupSize = 32
            options.tokenizerDirectory = Surroundings.chatModel
            try RandomModel.write(
                configuration: .object(object), to: folder.file("model"), options: options)
            try Surroundings.python(
                Surroundings.fixture("mlx_lora.py"),
                [folder.file("model").path, folder.file("record.json").path])
            let record = try JSONDecoder().decode(
                Record.self, from: Data(contentsOf: folder.file("record.json")))
            let model = try LlamaModel(
                directory: try ModelDirectory(folder.file("model")), precision: .exact)
            let ours = try losses(record, model)
            #expect(record.losses.count == 20)
            #expect(ours.count == 20)
            for (step, (found, expected)) in zip(ours, record.losses).enumerated() {
                #expect(
                    abs(found - expected) < 0.01 * expected,
                    "step \(step + 1): \(found), mlx_lm \(expected)")
            }
            // Wrong batches would not show where losses hardly differ.
            let spread = (record.losses.max() ?? 0) - (record.losses.min() ?? 0)
            #expect(spread > 0.05 * record.losses[0], "\(record.losses)")
        }

        /// `numpy.random.seed(5)`, then `permutation(3)` and `permutation(10)`, and so on.
        @Test func batchesComeInNumPysOrder() {
            var random = NumPyRandom(seed: 5)
            #expect(random.permutation(3) == [0, 1, 2])
            #expect(random.permutation(10) == [5, 8, 2, 3, 4, 7, 1, 0, 9, 6])
            #expect(random.permutation(1) == [0])
            #expect(random.permutation(700).prefix(5) == [540, 283, 319, 37, 417])
        }

        @Test func rowsAreMLXs() {
            let row = TrainingRow(id: "a", ids: [5, 6, 7], scored: [2..<3])
            let whole = row.asInMLX(maxSequenceLength: 8)
            #expect(whole.ids == [5, 6, 7, 0])
            #expect(whole.scored == [1..<4])
            #expect(row.asInMLX(maxSequenceLength: 8, offset: 2).scored == [2..<4])
            let cut = row.asInMLX(maxSequenceLength: 3)
            #expect(cut.ids == [5, 6, 7])
            #expect(cut.scored == [1..<3])
        }

        @Test func aBatchThatCannotBeFilledIsAnError() throws {
            let tiny = try TinyModel()
            var options = TinyModel.options
            options.batchSize = 4
            options.matchMLX()
            let trainer = try LoRATrainer(model: tiny.model, options: options)
            let error = #expect(throws: TrainingError.self) {
                try trainer.train(rows: TinyModel.rows([20, 12]))
            }
            #expect(
                "\(try #require(error))"
                    == "training option batchSize: expected at most 2, the rows there are: mlx_lm "
                    + "trains full batches only, found 4.")
        }
    }
}
