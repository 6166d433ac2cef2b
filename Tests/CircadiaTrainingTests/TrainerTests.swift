import Foundation
import Testing

import CircadiaModel
import CircadiaTraining

extension TrainingTests {
    /// Whole trainings of a tiny model.
    struct TrainerTests {
        private func trainer(
            _ tiny: TinyModel, _ change: (inout TrainingOptions) -> Void = { _ in }
        ) throws -> LoRATrainer {
            var options = TinyModel.options
            options.iterations = 12
            options.batchSize = 2
            options.learningRate = 1e-2
            change(&options)
            return try LoRATrainer(model: tiny.model, options: options)
        }

        private func numbers(_ adapter: LoRAAdapter) -> [Float] {
            adapter.allPairs.flatMap { $0.pair.a.array + $0.pair.b.array }
        }

        @Test func lossFallsAndTheModelSeesTheAdapter() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([30, 22, 14])
            let trainer = try trainer(tiny)
            let report = try trainer.train(rows: rows, heldOut: rows)
            let before = try #require(report.heldOutLossBefore)
            let after = try #require(report.heldOutLossAfter)
            #expect(after < before * 0.9)
            #expect(report.end == .finished && report.steps.count == 12 && report.finalStep == 12)
            let adapted = AdaptedModel(tiny.model, adapter: trainer.adapter)
            var total = ScoredLoss(nats: 0, tokens: 0)
            for row in rows {
                let loss = adapted.loss(of: row.ids, scored: row.scored)
                total.nats += loss.nats
                total.tokens += loss.tokens
            }
            #expect(abs(total.mean - after) < 1e-4 * after)
        }

        @Test func aFreshAdapterChangesNothingAndTheSeedDecides() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([30, 22, 14, 9, 18])
            let base = AdaptedModel(tiny.model, adapter: nil)
                .loss(of: rows[0].ids, scored: rows[0].scored)
            let fresh = try trainer(tiny).loss(rows: [rows[0]])
            #expect(abs(fresh.nats - base.nats) < 1e-4 * base.nats)
            var results: [[Float]] = []
            for seed in [5, 5, 6] as [UInt64] {
                let trainer = try trainer(tiny) {
                    $0.seed = seed
                    $0.order = .bucketed
                }
                _ = try trainer.train(rows: rows)
                results.append(numbers(trainer.adapter))
            }
            #expect(results[0] == results[1])
            #expect(results[0] != results[2])
        }

        @Test func savedAdaptersLoadWithTheSameNumbers() throws {
            let tiny = try TinyModel()
            let trainer = try trainer(tiny)
            try trainer.step(rows: TinyModel.rows([20]))
            let url = tiny.folder.file("adapter")
            try trainer.adapter.save(to: url)
            let loaded = try LoRAAdapter.load(from: url, for: tiny.model.configuration)
            #expect(numbers(loaded) == numbers(trainer.adapter))
            let next = try LoRATrainer(
                model: tiny.model, options: TinyModel.options, initial: loaded)
            #expect(next.adapter !== loaded && next.adapter.rank == 4)
        }

        @Test func aStepIsAdamsWithTheClippedGradient() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([20])
            var options = TinyModel.options
            options.clipNorm = 0.01
            options.weightDecay = 0.1
            let start = tiny.adapter(options)
            let trainer = try LoRATrainer(model: tiny.model, options: options, initial: start)
            let gradients = try trainer.gradients(rows: rows)
            let report = try trainer.step(rows: rows)
            #expect(report.gradientNorm > 0.01)
            let pair = try #require(start[2, .up])
            let updated = try #require(trainer.adapter[2, .up])
            let entry = try #require(gradients.first { $0.layer == 2 && $0.projection == .up })
            for index in [0, 7, pair.b.count - 1] {
                let g = Double(entry.db[index]) * 0.01 / report.gradientNorm
                // The first step's corrected moments are g and g².
                let expected =
                    Double(pair.b[index]) * (1 - 1e-3 * 0.1) - 1e-3 * g / (abs(g) + 1e-8)
                #expect(abs(Double(updated.b[index]) - expected) < 1e-6)
            }
        }

        @Test func numbersThatAreNotFiniteAreTakenBack() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([20])
            let trainer = try trainer(tiny)
            try trainer.step(rows: rows)
            let loss = try trainer.step(rows: rows).loss
            let pair = try #require(trainer.adapter[1, .q])
            pair.b[3] = .nan
            let broken = try trainer.step(rows: rows)
            #expect(!broken.isApplied)
            #expect(!numbers(trainer.adapter).contains { !$0.isFinite })
            // Back to where the last finite loss was measured.
            let again = try trainer.step(rows: rows)
            #expect(again.isApplied && again.loss == loss)
            #expect(again.learningRate == 0.5e-2)
        }

        @Test func divergenceIsReportedAndTheGoodNumbersStay() throws {
            let tiny = try TinyModel()
            let trainer = try trainer(tiny) {
                $0.learningRate = 1e38
                $0.iterations = 20
            }
            var restored = 0
            #expect(throws: TrainingError.self) {
                try trainer.train(rows: TinyModel.rows([20, 15])) { progress in
                    if case .restored = progress.event { restored += 1 }
                    return true
                }
            }
            #expect(restored == 4)
            #expect(!numbers(trainer.adapter).contains { !$0.isFinite })
        }

        @Test func theLastUpdateIsCheckedToo() throws {
            let tiny = try TinyModel()
            for heldOut in [[], TinyModel.rows([12])] {
                let trainer = try trainer(tiny) {
                    $0.learningRate = 1e38
                    $0.iterations = 1
                }
                let report = try trainer.train(rows: TinyModel.rows([20]), heldOut: heldOut)
                #expect(report.restorations == 1)
                #expect(!numbers(trainer.adapter).contains { abs($0) > 1 })
                #expect(report.heldOutLossAfter?.isFinite ?? true)
            }
        }

        @Test func evaluationsKeepTheBestAndPatienceEnds() throws {
            let tiny = try TinyModel()
            // Held-out rows that have nothing to do with the training rows: the loss will rise.
            let trainer = try trainer(tiny) {
                $0.iterations = 40
                $0.learningRate = 5e-2
                $0.evaluationInterval = 2
                $0.keepsBest = true
                $0.patience = 3
            }
            let heldOut = TinyModel.rows([25, 13], seed: 77)
            var losses: [Double] = []
            let report = try trainer.train(rows: TinyModel.rows([20, 15]), heldOut: heldOut) {
                if case .evaluation(_, let loss, _) = $0.event { losses.append(loss) }
                return true
            }
            #expect(report.end == .noImprovement)
            #expect(report.heldOutLossAfter == losses.min())
            let kept = try trainer.loss(rows: heldOut).mean
            #expect(kept == report.heldOutLossAfter)
            #expect(report.finalStep < report.steps.count)
        }

        @Test func theCallerMayEndIt() throws {
            let tiny = try TinyModel()
            var seen: [Int] = []
            let report = try trainer(tiny).train(rows: TinyModel.rows([20])) { progress in
                guard case .step(let step) = progress.event else { return true }
                seen.append(step.step)
                return step.step < 3
            }
            #expect(report.end == .cancelled)
            #expect(seen == [1, 2, 3] && report.steps.count == 3)
        }

        @Test func memoryDoesNotGrowAfterTheFirstStep() throws {
            let tiny = try TinyModel()
            let trainer = try trainer(tiny)
            try trainer.step(rows: TinyModel.rows([30, 22]))
            let held = trainer.memoryByteCount
            for lengths in [[30, 22], [10], [22, 30], [5, 40]] {
                try trainer.step(rows: TinyModel.rows(lengths))
            }
            #expect(trainer.memoryByteCount == held)
        }

        @Test func rowsThatCannotBeTrainedOn() throws {
            let tiny = try TinyModel()
            let trainer = try trainer(tiny) { $0.iterations = 1 }
            var rows = TinyModel.rows([20, 15])
            rows[1].scored = []
            let report = try trainer.train(rows: rows)
            #expect(report.rows == 1 && report.skippedRows == 1)
            #expect(throws: TrainingError.nothingToTrain(rows: 1)) {
                try trainer.train(rows: [rows[1]])
            }
            rows[0].ids[4] = 150
            let error = TrainingError.unknownToken(
                row: "row 0", position: 4, id: 150, vocabularySize: 150)
            #expect(throws: error) { try trainer.train(rows: rows) }
            #expect(
                error.description
                    == "row row 0: token 150 at position 4 is not in the model's vocabulary of "
                    + "150. The rows were made with another model's tokenizer.")
        }

        @Test func badOptionsAreNamed() throws {
            let tiny = try TinyModel()
            #expect(
                throws: TrainingError.badOption(name: "rank", expected: "1 to 1024", found: "0")
            ) { try trainer(tiny) { $0.rank = 0 } }
            #expect(throws: TrainingError.self) { try trainer(tiny) { $0.keys = ["q_proj"] } }
            #expect(throws: TrainingError.self) { try trainer(tiny) { $0.precision = .int8 } }
            #expect(throws: TrainingError.self) { try trainer(tiny) { $0.learningRate = .nan } }
            #expect(
                TrainingError.badOption(name: "rank", expected: "1 to 1024", found: "0").description
                    == "training option rank: expected 1 to 1024, found 0.")
            let other = try TinyModel(changes: ["num_hidden_layers": .integer(4)])
            #expect(throws: TrainingError.adapterMismatch(adapterLayers: 4, modelLayers: 3)) {
                try LoRATrainer(
                    model: tiny.model, options: TinyModel.options, initial: other.adapter())
            }
        }

        @Test func learningRates() {
            var options = TrainingOptions()
            options.learningRate = 1
            options.warmupSteps = 4
            options.iterations = 12
            #expect(
                (1...6).map { LearningRateSchedule(options: options).rate(step: $0) }
                    == [0.25, 0.5, 0.75, 1, 1, 1])
            options.schedule = .cosine
            let cosine = LearningRateSchedule(options: options)
            #expect(cosine.rate(step: 4) == 1)
            #expect(abs(cosine.rate(step: 8) - 0.5) < 1e-6)
            #expect(abs(cosine.rate(step: 12)) < 1e-6)
        }
    }
}
