import Foundation
import Testing

import CircadiaKernels
import CircadiaModel
import CircadiaTraining

extension TrainingTests {
    /// The backward pass against finite differences, and what must not change a gradient.
    struct GradientTests {
        typealias Gradients = [(layer: Int, projection: Projection, da: [Float], db: [Float])]

        private func gradients(
            _ tiny: TinyModel, _ rows: [TrainingRow],
            _ change: (inout TrainingOptions) -> Void = { _ in }
        ) throws -> Gradients {
            var options = TinyModel.options
            change(&options)
            let trainer = try LoRATrainer(
                model: tiny.model, options: options, initial: tiny.adapter(options))
            return try trainer.gradients(rows: rows)
        }

        private func expectSame(_ a: Gradients, _ b: Gradients, within tolerance: Double) {
            #expect(a.count == b.count)
            for (x, y) in zip(a, b) {
                let name = x.projection.path(layer: x.layer)
                #expect(relativeDistance(x.da, y.da) <= tolerance, "\(name) a")
                #expect(relativeDistance(x.db, y.db) <= tolerance, "\(name) b")
            }
        }

        /// Every matrix, at sampled elements: central differences of the loss in Double.
        @Test func finiteDifferences() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([11, 7])
            let reference = DoubleLlama(model: tiny.model, adapter: tiny.adapter())
            let seed: UInt64 = 21
            var random = SeededGenerator(seed: seed)
            let all = try gradients(tiny, rows)
            #expect(all.map(\.projection) == Projection.allCases + Projection.allCases)
            for (layer, projection, da, db) in all {
                let key = DoubleLlama.Key(layer: layer, projection: projection)
                for (factor, gradient) in [(\DoubleLlama.Pair.a, da), (\.b, db)] {
                    let (found, expected) = try reference.sampled(
                        gradient, of: factor, at: key, rows: rows, count: 10, random: &random)
                    #expect(
                        relativeDistance(found, expected) < 1e-3,
                        "\(projection.path(layer: layer)) seed \(seed): \(found), \(expected)")
                }
            }
        }

        @Test func lossIsThatOfThePlainFormulas() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([11, 7, 30])
            let reference = DoubleLlama(model: tiny.model, adapter: tiny.adapter()).loss(rows)
            let trainer = try LoRATrainer(
                model: tiny.model, options: TinyModel.options, initial: tiny.adapter())
            let scored = try trainer.loss(rows: rows)
            #expect(abs(scored.mean - reference) < 1e-5 * reference)
            #expect(scored.tokens == rows.reduce(0) { $0 + $1.scored.joined().count })
            let report = try trainer.step(rows: rows)
            #expect(abs(report.loss - reference) < 1e-5 * reference)
            #expect(report.tokens == 10 + 6 + 29)
        }

        @Test func computingAgainGivesTheSameBits() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([40, 23])
            let kept = try gradients(tiny, rows)
            expectSame(
                kept, try gradients(tiny, rows) { $0.activationByteLimit = 0 }, within: 0)
            // Room for one block of two.
            let mixed = try gradients(tiny, rows) { $0.activationByteLimit = 200_000 }
            expectSame(kept, mixed, within: 0)
        }

        @Test func threadsDoNotChangeABit() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([60, 41, 17])
            for precision in [Precision.exact, .bf16] {
                let one = try KernelRuntime.withThreads(1) {
                    try gradients(tiny, rows) { $0.precision = precision }
                }
                let three = try KernelRuntime.withThreads(3) {
                    try gradients(tiny, rows) { $0.precision = precision }
                }
                expectSame(one, three, within: 0)
            }
        }

        @Test func microBatchesAndPackingAreOnlyRoundedDifferently() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([40, 23, 9, 31])
            let together = try gradients(tiny, rows)
            let apart = try gradients(tiny, rows) { $0.maxTokensPerMicroBatch = 1 }
            expectSame(together, apart, within: 1e-5)
        }

        @Test func cutRowsAndTokensBehindTheLastTargetDoNotCount() throws {
            let tiny = try TinyModel()
            let short = TinyModel.rows([20])
            var long = short
            long[0].ids += [1, 2, 3, 4]
            expectSame(try gradients(tiny, short), try gradients(tiny, long), within: 0)
            long[0].scored.append(20..<24)
            let cut = try gradients(tiny, long) { $0.maxSequenceLength = 20 }
            expectSame(try gradients(tiny, short), cut, within: 0)
        }

        @Test func keysChooseTheMatrices() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([20, 12])
            let keys = ["self_attn.v_proj", "mlp.down_proj"]
            let reference = DoubleLlama(
                model: tiny.model,
                adapter: tiny.adapter(
                    {
                        var options = TinyModel.options
                        options.keys = keys
                        return options
                    }()))
            let some = try gradients(tiny, rows) { $0.keys = keys }
            #expect(Set(some.map(\.projection)) == [.v, .down])
            let (layer, projection, _, db) = try #require(some.first)
            let key = DoubleLlama.Key(layer: layer, projection: projection)
            let whole = try #require(reference.pairs[key])
            var losses: [Double] = []
            for change in [1e-4, -1e-4] {
                var pair = whole
                pair.b[0][5] += change
                reference.pairs[key] = pair
                losses.append(reference.loss(rows))
            }
            let expected = (losses[0] - losses[1]) / 2e-4
            #expect(abs(Double(db[5]) - expected) < 1e-3 * abs(expected))
        }
    }
}
