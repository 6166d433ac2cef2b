import Foundation
import Testing

import CircadiaKernels
import CircadiaModel
import CircadiaTraining

extension TrainingTests {
    /// DoRA's forward and backward pass.
    struct DoRATests {
        static var options: TrainingOptions {
            var options = TinyModel.options
            options.kind = .dora
            return options
        }

        /// An adapter whose magnitudes are not the norms, so that gains are not 1.
        static func adapter(_ tiny: TinyModel) -> LoRAAdapter {
            let adapter = tiny.adapter(options)
            adapter.refresh(layers: tiny.model.layers, workspace: Workspace())
            var random = SeededGenerator(seed: 12)
            for (_, _, pair) in adapter.allPairs {
                guard let values = pair.magnitude?.values else { continue }
                for index in 0..<values.count {
                    values[index] *= Float(0.8 + 0.4 * random.uniform())
                }
            }
            return adapter
        }

        @Test func normsAreThoseOfTheAdaptedRows() throws {
            let tiny = try TinyModel()
            let adapter = Self.adapter(tiny)
            adapter.refresh(layers: tiny.model.layers, workspace: Workspace())
            let reference = DoubleLlama(model: tiny.model, adapter: adapter)
            for (layer, projection, pair) in adapter.allPairs {
                let magnitude = try #require(pair.magnitude)
                let expected = try #require(
                    reference.pairs[.init(layer: layer, projection: projection)]?.norms)
                for (found, norm) in zip(magnitude.norms.array, expected) {
                    #expect(abs(Double(found) - norm) < 1e-5 * norm)
                }
            }
        }

        @Test func aFreshAdapterChangesNothing() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([20, 12])
            var options = Self.options
            let dora = try LoRATrainer(model: tiny.model, options: options).loss(rows: rows)
            options.kind = .lora
            let lora = try LoRATrainer(model: tiny.model, options: options).loss(rows: rows)
            #expect(abs(dora.mean - lora.mean) < 1e-6 * lora.mean)
        }

        @Test func lossIsThatOfThePlainFormulas() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([11, 7, 30])
            let adapter = Self.adapter(tiny)
            let expected = DoubleLlama(model: tiny.model, adapter: adapter).loss(rows)
            let trainer = try LoRATrainer(
                model: tiny.model, options: Self.options, initial: adapter)
            #expect(abs(try trainer.loss(rows: rows).mean - expected) < 1e-5 * expected)
            // Inference computes the same.
            let adapted = AdaptedModel(tiny.model, adapter: adapter)
            var nats = 0.0
            for row in rows { nats += adapted.loss(of: row.ids, scored: row.scored).nats }
            let count = Double(rows.reduce(0) { $0 + $1.scored.joined().count })
            #expect(abs(nats / count - expected) < 1e-5 * expected)
        }

        /// Every matrix and every magnitude, at sampled elements: central differences of the loss
        /// in Double, the norms held constant.
        @Test func finiteDifferences() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([11, 7])
            let adapter = Self.adapter(tiny)
            let reference = DoubleLlama(model: tiny.model, adapter: adapter)
            let trainer = try LoRATrainer(
                model: tiny.model, options: Self.options, initial: adapter)
            let magnitudes = try trainer.magnitudeGradients(rows: rows)
            let factors = try trainer.gradients(rows: rows)
            let all = Projection.allCases + Projection.allCases
            #expect(magnitudes.map(\.projection) == all && factors.map(\.projection) == all)
            let seed: UInt64 = 22
            var random = SeededGenerator(seed: seed)
            for ((layer, projection, da, db), (_, _, dm)) in zip(factors, magnitudes) {
                let key = DoubleLlama.Key(layer: layer, projection: projection)
                for (factor, gradient) in [(\DoubleLlama.Pair.a, da), (\.b, db), (\.m, dm)] {
                    let (found, expected) = try reference.sampled(
                        gradient, of: factor, at: key, rows: rows, count: 8, random: &random)
                    #expect(
                        relativeDistance(found, expected) < 1e-3,
                        "\(projection.path(layer: layer)) seed \(seed): \(found), \(expected)")
                }
            }
        }

        @Test func recomputedBlocksGiveTheSameBits() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([40, 23])
            let adapter = Self.adapter(tiny)
            var options = Self.options
            let kept = try LoRATrainer(model: tiny.model, options: options, initial: adapter)
            options.activationByteLimit = 0
            let again = try LoRATrainer(model: tiny.model, options: options, initial: adapter)
            for (x, y) in zip(
                try kept.magnitudeGradients(rows: rows), try again.magnitudeGradients(rows: rows))
            {
                #expect(x.dm == y.dm)
            }
            for (x, y) in zip(try kept.gradients(rows: rows), try again.gradients(rows: rows)) {
                #expect(x.da == y.da && x.db == y.db)
            }
        }

        @Test func trainingMovesMagnitudesAndSavesThem() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([40, 23])
            var options = Self.options
            options.iterations = 5
            options.learningRate = 1e-2
            let trainer = try LoRATrainer(model: tiny.model, options: options)
            let first = try #require(trainer.adapter[2, .down]?.magnitude).values.array
            let report = try trainer.train(rows: rows)
            let losses = report.steps.map(\.loss)
            #expect(try #require(losses.last) < losses[0])
            let values = try #require(trainer.adapter[2, .down]?.magnitude).values.array
            #expect(values != first)
            let url = tiny.folder.file("dora")
            try trainer.adapter.save(to: url)
            let loaded = try LoRAAdapter.load(from: url, for: tiny.model.configuration)
            #expect(loaded.isDoRA)
            #expect(loaded.parameterCount == trainer.adapter.parameterCount)
            #expect(loaded[2, .down]?.magnitude?.values.array == values)
        }
    }
}
