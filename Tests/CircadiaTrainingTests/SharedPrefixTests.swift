import Testing

import CircadiaKernels
import CircadiaModel
import CircadiaTraining

extension TrainingTests {
    /// Rows that begin with the same tokens, which are computed once.
    struct SharedPrefixTests {
        /// Rows of these lengths that have their first `shared` tokens in common and nothing scored
        /// among them.
        private func rows(_ lengths: [Int], shared: Int) -> [TrainingRow] {
            var random = SeededGenerator(seed: 31)
            let first = (0..<shared).map { _ in Int32(random.next() % 150) }
            return lengths.enumerated().map { index, length in
                let own = (shared..<length).map { _ in Int32(random.next() % 150) }
                return TrainingRow(
                    id: "row \(index)", ids: first + own, scored: [shared + 2..<length])
            }
        }

        private func trainer(
            _ tiny: TinyModel, _ adapter: LoRAAdapter? = nil,
            _ change: (inout TrainingOptions) -> Void = { _ in }
        ) throws -> LoRATrainer {
            var options = TinyModel.options
            change(&options)
            return try LoRATrainer(
                model: tiny.model, options: options, initial: adapter ?? tiny.adapter(options))
        }

        private func expectSame(
            _ a: LoRATrainer, _ b: LoRATrainer, _ rows: [TrainingRow], within tolerance: Double
        ) throws {
            let (found, expected) = (try a.gradients(rows: rows), try b.gradients(rows: rows))
            #expect(found.count == 14 && expected.count == 14)
            for (x, y) in zip(found, expected) {
                let name = x.projection.path(layer: x.layer)
                #expect(relativeDistance(x.da, y.da) <= tolerance, "\(name) a")
                #expect(relativeDistance(x.db, y.db) <= tolerance, "\(name) b")
            }
            for (x, y) in zip(
                try a.magnitudeGradients(rows: rows), try b.magnitudeGradients(rows: rows))
            {
                #expect(relativeDistance(x.dm, y.dm) <= tolerance, "\(x.projection) m")
            }
        }

        /// Rows one by one share nothing. Prefixes reach over the kernels' blocks of 64 keys or not.
        @Test(arguments: [9, 64, 100])
        func gradientsAreThoseOfRowsByThemselves(shared: Int) throws {
            let tiny = try TinyModel()
            let rows = rows([shared + 30, shared + 9, shared + 71, shared + 3], shared: shared)
            let together = try trainer(tiny)
            let apart = try trainer(tiny) { $0.maxRowsPerMicroBatch = 1 }
            try expectSame(together, apart, rows, within: 1e-5)
            let loss = try apart.loss(rows: rows)
            let found = try together.loss(rows: rows)
            #expect(found.tokens == loss.tokens)
            #expect(abs(found.mean - loss.mean) < 1e-6 * loss.mean)
            #expect(
                try together.step(rows: rows).tokens == rows.reduce(0) { $0 + $1.ids.count - 1 })
        }

        @Test func finiteDifferences() throws {
            let tiny = try TinyModel()
            let rows = rows([19, 14], shared: 10)
            let reference = DoubleLlama(model: tiny.model, adapter: tiny.adapter())
            var random = SeededGenerator(seed: 33)
            for (layer, projection, da, db) in try trainer(tiny).gradients(rows: rows) {
                let key = DoubleLlama.Key(layer: layer, projection: projection)
                for (factor, gradient) in [(\DoubleLlama.Pair.a, da), (\.b, db)] {
                    let (found, expected) = try reference.sampled(
                        gradient, of: factor, at: key, rows: rows, count: 6, random: &random)
                    #expect(
                        relativeDistance(found, expected) < 1e-3,
                        "\(projection.path(layer: layer)): \(found), \(expected)")
                }
            }
        }

        @Test func doraAndRowsThatKeepToTheBaseModel() throws {
            let tiny = try TinyModel()
            var rows = rows([50, 35, 44], shared: 20)
            rows[1].anchored = rows[1].scored
            let adapter = DoRATests.adapter(tiny)
            let together = try trainer(tiny, adapter) { $0.kind = .dora }
            let apart = try trainer(tiny, adapter) {
                $0.kind = .dora
                $0.maxRowsPerMicroBatch = 1
            }
            try expectSame(together, apart, rows, within: 1e-5)
        }

        @Test func blocksComputedAgainAndThreadsChangeNoBit() throws {
            let tiny = try TinyModel()
            let rows = rows([60, 41, 37], shared: 30)
            let kept = try trainer(tiny)
            try expectSame(kept, try trainer(tiny) { $0.activationByteLimit = 0 }, rows, within: 0)
            let one = try KernelRuntime.withThreads(1) {
                try trainer(tiny).gradients(rows: rows)
            }
            let three = try KernelRuntime.withThreads(3) {
                try trainer(tiny).gradients(rows: rows)
            }
            for (x, y) in zip(one, three) {
                #expect(x.da == y.da && x.db == y.db)
            }
        }

        /// What is shared takes memory once; what differs at the first token, or is scored, is not shared.
        @Test func sharedTokensAreThereOnce() throws {
            let tiny = try TinyModel()
            let rows = rows([120, 120, 120, 120], shared: 100)
            func bytes(_ rows: [TrainingRow]) throws -> Int {
                let trainer = try trainer(tiny)
                _ = try trainer.loss(rows: rows)
                return trainer.memoryByteCount
            }
            // 100 tokens and four times 19 of them, against four times 119.
            let few = try bytes(rows)
            #expect(try bytes(TinyModel.rows([177])) == few)
            var others = rows
            for index in rows.indices { others[index].ids[0] = Int32(index) }
            #expect(try bytes(others) > 2 * few - few / 2)
            var scored = rows
            for index in rows.indices { scored[index].scored.insert(4..<6, at: 0) }
            #expect(try bytes(scored) == bytes(others))
        }
    }
}
