import Foundation
import Testing

import CircadiaModel
import CircadiaTraining

extension TrainingTests {
    /// Rows that keep to the base model: the gradient of a KL divergence.
    struct DivergenceTests {
        private func anchored(_ lengths: [Int]) -> [TrainingRow] {
            TinyModel.rows(lengths).map { row in
                var row = row
                row.anchored = row.scored
                return row
            }
        }

        /// Against central differences of Σ p ln(p/q) in Double, `p` without and `q` with the
        /// adapter.
        @Test func gradientsAreThoseOfTheDivergence() throws {
            let tiny = try TinyModel()
            let rows = anchored([11, 7])
            let plain = LoRAAdapter(
                configuration: TinyModel.options.adapterConfiguration,
                model: tiny.model.configuration, seed: 3)
            let base = DoubleLlama(model: tiny.model, adapter: plain).probabilities(rows)
            let reference = DoubleLlama(model: tiny.model, adapter: tiny.adapter())
            func divergence() -> Double {
                let q = reference.probabilities(rows)
                let sums = zip(base, q).map {
                    zip($0, $1).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) }
                }
                return sums.reduce(0, +) / Double(sums.count)
            }
            var options = TinyModel.options
            options.divergenceWeight = 0.5
            let trainer = try LoRATrainer(
                model: tiny.model, options: options, initial: tiny.adapter())
            var random = SeededGenerator(seed: 21)
            let step = 1e-4
            for (layer, projection, da, db) in try trainer.gradients(rows: rows) {
                let key = DoubleLlama.Key(layer: layer, projection: projection)
                for (factor, gradient) in [(\DoubleLlama.Pair.a, da), (\.b, db)] {
                    let whole = try #require(reference.pairs[key])
                    let columns = whole[keyPath: factor][0].count
                    var expected: [Float] = []
                    var found: [Float] = []
                    for _ in 0..<6 {
                        let index = Int(random.next() % UInt64(gradient.count))
                        func changed(_ change: Double) -> Double {
                            var pair = whole
                            pair[keyPath: factor][index / columns][index % columns] += change
                            reference.pairs[key] = pair
                            return divergence()
                        }
                        expected.append(
                            Float(0.5 * (changed(step) - changed(-step)) / (2 * step)))
                        found.append(gradient[index])
                    }
                    reference.pairs[key] = whole
                    let distance = relativeDistance(found, expected)
                    #expect(
                        distance < 1e-3, "\(projection.path(layer: layer)): \(found), \(expected)")
                }
            }
        }

        /// A fresh adapter changes nothing, so nothing pulls at it, to the last bits of the sums.
        @Test func aFreshAdapterHasNoGradient() throws {
            let tiny = try TinyModel()
            let trainer = try LoRATrainer(model: tiny.model, options: TinyModel.options)
            let learnt = try trainer.gradients(rows: TinyModel.rows([20, 13]))
            let kept = try trainer.gradients(rows: anchored([20, 13]))
            for (x, y) in zip(learnt, kept) {
                let size = x.db.reduce(0) { max($0, abs($1)) }
                let rest = y.db.reduce(0) { max($0, abs($1)) }
                #expect(rest < 1e-4 * size, "\(x.projection.path(layer: x.layer))")
            }
        }

        /// A row of which some tokens are held is those tokens' row and the others' row at once, in any batch.
        @Test func aRowCanBeOfBothKinds() throws {
            let tiny = try TinyModel()
            var rows = TinyModel.rows([25, 18, 30])
            rows[1].weight = 2
            let scored = rows.map { Array($0.scored.joined()) }
            let held = scored.map { $0.enumerated().filter { $0.offset % 3 == 1 }.map(\.element) }
            func only(_ positions: [Int]) -> [Range<Int>] { positions.map { $0..<$0 + 1 } }
            var parts: [(row: TrainingRow, count: Int)] = []
            for index in [0, 1] {
                var learnt = rows[index]
                learnt.scored = only(scored[index].filter { !held[index].contains($0) })
                var anchored = rows[index]
                anchored.scored = only(held[index])
                anchored.anchored = anchored.scored
                parts += [learnt, anchored].map { ($0, $0.scored.count) }
                rows[index].anchored = only(held[index])
            }
            parts.append((rows[2], scored[2].count))
            let trainer = try LoRATrainer(
                model: tiny.model, options: TinyModel.options, initial: tiny.adapter())
            let together = try trainer.gradients(rows: rows)
            let apart = try parts.map { try trainer.gradients(rows: [$0.row]) }
            let weights = parts.map { Double($0.row.weight) * Double($0.count) }
            for index in together.indices {
                var expected = [Float](repeating: 0, count: together[index].da.count)
                for (part, weight) in zip(apart, weights) {
                    let share = Float(weight / weights.reduce(0, +))
                    for (place, value) in part[index].da.enumerated() {
                        expected[place] += share * value
                    }
                }
                #expect(relativeDistance(together[index].da, expected) < 1e-4)
            }
        }

        /// Half the pull is half the weight on the divergence; what the row learns counts as before.
        @Test func pullIsAShareOfTheWeight() throws {
            let tiny = try TinyModel()
            var rows = TinyModel.rows([25, 18])
            rows[0].anchored = rows[0].scored
            func gradients(_ weight: Double) throws -> [[Float]] {
                var options = TinyModel.options
                options.divergenceWeight = weight
                let trainer = try LoRATrainer(
                    model: tiny.model, options: options, initial: tiny.adapter())
                return try trainer.gradients(rows: rows).map(\.db)
            }
            let expected = try gradients(0.4)
            rows[0].pull = 0.5
            for (found, expected) in zip(try gradients(0.8), expected) {
                #expect(relativeDistance(found, expected) < 1e-5)
            }
        }

        /// In one batch with rows that are learnt, each token has its own kind of gradient; the order
        /// of the rows does not matter.
        @Test func bothKindsShareABatch() throws {
            let tiny = try TinyModel()
            var rows = TinyModel.rows([25, 18, 30])
            rows[0].anchored = rows[0].scored
            let trainer = try LoRATrainer(
                model: tiny.model, options: TinyModel.options, initial: tiny.adapter())
            let together = try trainer.gradients(rows: rows)
            let counts = rows.map { Double($0.scored.joined().count) }
            let parts = try [[rows[0]], [rows[1], rows[2]]].map { try trainer.gradients(rows: $0) }
            let shares = [counts[0], counts[1] + counts[2]].map { $0 / counts.reduce(0, +) }
            for index in together.indices {
                let expected = zip(parts[0][index].da, parts[1][index].da).map {
                    Float(shares[0] * Double($0) + shares[1] * Double($1))
                }
                #expect(relativeDistance(together[index].da, expected) < 1e-4)
            }
            let turned = try trainer.gradients(rows: rows.reversed())
            for (x, y) in zip(together, turned) { #expect(relativeDistance(x.db, y.db) < 1e-4) }
        }
    }
}
