import Foundation
import Testing

import CircadiaFormats
import CircadiaKernels
import CircadiaModel
import CircadiaTraining

extension TrainingTests {
    /// Dropout in the adapters, and gradients of several micro-batches.
    struct DropoutTests {
        private func options(_ change: (inout TrainingOptions) -> Void = { _ in })
            -> TrainingOptions
        {
            var options = TinyModel.options
            options.dropout = 0.3
            options.seed = 11
            change(&options)
            return options
        }

        private func numbers(_ adapter: LoRAAdapter) -> [Float] {
            adapter.allPairs.flatMap { $0.pair.a.array + $0.pair.b.array }
        }

        /// The masks of the first gradient, as `DoubleLlama` reads them: by row, token and element.
        private func masks(_ rows: [TrainingRow], _ options: TrainingOptions) -> DoubleLlama.Mask {
            let dropout = LoRADropout(
                probability: options.dropout, seed: options.seed, step: 0)
            let lengths = rows.map { ($0.scored.last?.upperBound ?? 1) - 1 }
            let total = lengths.reduce(0, +)
            return { layer, projection, row, token, width in
                let start = lengths.prefix(row).reduce(0, +)
                guard token < lengths[row] else { return [Double](repeating: 1, count: width) }
                let all = FloatBuffer(count: total * width)
                for index in 0..<all.count { all[index] = 1 }
                dropout.apply(
                    all.pointer, layer: layer, projection: projection, tokens: total, width: width,
                    out: all.pointer)
                return (0..<width).map { Double(all[(start + token) * width + $0]) }
            }
        }

        /// Every matrix, at sampled elements: central differences in Double of the loss under the
        /// very masks that the backward pass drew again.
        @Test(arguments: [AdapterConfiguration.Kind.lora, .dora])
        func finiteDifferencesWithTheSameMasks(_ kind: AdapterConfiguration.Kind) throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([9, 6])
            let adapter = kind == .dora ? DoRATests.adapter(tiny) : tiny.adapter()
            let trainer = try LoRATrainer(
                model: tiny.model, options: options(), initial: adapter)
            let reference = DoubleLlama(model: tiny.model, adapter: adapter)
            reference.mask = masks(rows, options())
            let seed: UInt64 = 22
            var random = SeededGenerator(seed: seed)
            let magnitudes = try trainer.magnitudeGradients(rows: rows)
            #expect(magnitudes.count == (kind == .dora ? 14 : 0))
            for (number, (layer, projection, da, db)) in try trainer.gradients(rows: rows)
                .enumerated()
            {
                let key = DoubleLlama.Key(layer: layer, projection: projection)
                var factors = [(\DoubleLlama.Pair.a, da), (\.b, db)]
                if kind == .dora { factors.append((\.m, magnitudes[number].dm)) }
                for (factor, gradient) in factors {
                    let (found, expected) = try reference.sampled(
                        gradient, of: factor, at: key, rows: rows, count: 4, random: &random)
                    #expect(
                        relativeDistance(found, expected) < 1e-3,
                        "\(projection.path(layer: layer)) seed \(seed): \(found), \(expected)")
                }
            }
        }

        @Test func masksHaveTheirProbabilityAndDifferEverywhere() {
            let count = 64 * 1000
            let ones = FloatBuffer(count: count)
            for index in 0..<count { ones[index] = 1 }
            func mask(step: Int, layer: Int, _ projection: Projection) -> [Float] {
                let out = FloatBuffer(count: count)
                LoRADropout(probability: 0.3, seed: 1, step: step).apply(
                    ones.pointer, layer: layer, projection: projection, tokens: 1000, width: 64,
                    out: out.pointer)
                return out.array
            }
            let first = mask(step: 1, layer: 0, .q)
            #expect(first == mask(step: 1, layer: 0, .q))
            let dropped = Double(first.count { $0 == 0 }) / Double(count)
            // Five standard deviations of a binomial.
            let deviation = (0.3 * 0.7 / Double(count)).squareRoot()
            #expect(abs(dropped - 0.3) < 5 * deviation)
            #expect(first.allSatisfy { $0 == 0 || abs($0 - 1 / 0.7) < 1e-4 })
            for other in [
                mask(step: 2, layer: 0, .q), mask(step: 1, layer: 1, .q),
                mask(step: 1, layer: 0, .k),
            ] {
                let same = Double(zip(first, other).count { $0 == $1 }) / Double(count)
                let chance = 0.3 * 0.3 + 0.7 * 0.7
                #expect(
                    abs(same - chance) < 5 * (chance * (1 - chance) / Double(count)).squareRoot())
            }
        }

        @Test func memoryAndMicroBatchesDoNotChangeTheMasks() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([30, 22, 14, 9])
            func gradients(_ change: (inout TrainingOptions) -> Void) throws -> [Float] {
                try LoRATrainer(
                    model: tiny.model, options: options(change), initial: tiny.adapter()
                ).gradients(rows: rows).flatMap { $0.da + $0.db }
            }
            let whole = try gradients { _ in }
            #expect(try gradients { $0.activationByteLimit = 0 } == whole)
            for change in [
                { $0.maxTokensPerMicroBatch = 30 }, { $0.maxRowsPerMicroBatch = 1 },
                { $0.maxRowsPerMicroBatch = 3 },
            ] as [(inout TrainingOptions) -> Void] {
                #expect(relativeDistance(try gradients(change), whole) < 1e-5)
            }
            #expect(relativeDistance(try gradients { $0.dropout = 0 }, whole) > 0.05)
        }

        @Test func accumulatedStepsHaveTheLossOfTheWholeBatch() throws {
            let tiny = try TinyModel()
            // Of very different lengths: a mean of the micro-batches' means would be another loss.
            let rows = TinyModel.rows([60, 5, 40, 6])
            var reports: [StepReport] = []
            for limit in [0, 1, 2] {
                let trainer = try LoRATrainer(
                    model: tiny.model,
                    options: options {
                        $0.dropout = 0
                        $0.maxRowsPerMicroBatch = limit
                    }, initial: tiny.adapter())
                reports.append(try trainer.step(rows: rows))
            }
            for report in reports {
                #expect(abs(report.loss - reports[0].loss) < 1e-6 * reports[0].loss)
                #expect(
                    abs(report.gradientNorm - reports[0].gradientNorm)
                        < 1e-5 * reports[0].gradientNorm)
            }
        }

        @Test func aTrainingWithDropoutGoesOnWithTheSameBits() throws {
            let tiny = try TinyModel()
            let rows = TinyModel.rows([30, 22, 14])
            let options = options {
                $0.iterations = 6
                $0.batchSize = 2
            }
            let whole = try LoRATrainer(model: tiny.model, options: options)
            _ = try whole.train(rows: rows)
            let checkpoints = CheckpointOptions(url: tiny.folder.file("state"), interval: 0)
            _ = try LoRATrainer(model: tiny.model, options: options).train(
                rows: rows, checkpoints: checkpoints
            ) {
                if case .step(let report) = $0.event { report.step < 3 } else { true }
            }
            let second = try LoRATrainer(model: tiny.model, options: options)
            _ = try second.train(rows: rows, checkpoints: checkpoints, resumes: true)
            #expect(numbers(second.adapter) == numbers(whole.adapter))
        }
    }
}
