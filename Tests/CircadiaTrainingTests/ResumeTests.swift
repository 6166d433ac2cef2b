import Foundation
import Testing

import CircadiaModel
import CircadiaTraining

extension TrainingTests {
    /// Trainings that are broken off and go on: the same bits as those that never were.
    struct ResumeTests {
        private static let iterations = 12

        private func options(_ change: (inout TrainingOptions) -> Void = { _ in })
            -> TrainingOptions
        {
            var options = TinyModel.options
            options.iterations = Self.iterations
            options.batchSize = 2
            options.learningRate = 2e-2
            options.order = .bucketed
            options.schedule = .cosine
            options.warmupSteps = 3
            options.evaluationInterval = 3
            options.keepsBest = true
            change(&options)
            return options
        }

        private func numbers(_ adapter: LoRAAdapter) -> [Float] {
            adapter.allPairs.flatMap { _, _, pair in
                pair.a.array + pair.b.array + (pair.magnitude?.values.array ?? [])
            }
        }

        private let rows = TinyModel.rows([30, 22, 14, 9, 18])
        private let heldOut = TinyModel.rows([25, 13], seed: 77)

        @Test func aTrainingBrokenOffAtAnyStepEndsWithTheSameBits() throws {
            let tiny = try TinyModel()
            let whole = try LoRATrainer(model: tiny.model, options: options())
            let expected = try whole.train(rows: rows, heldOut: heldOut)
            for stop in 0..<Self.iterations {
                let url = tiny.folder.file("state-\(stop)")
                let checkpoints = CheckpointOptions(url: url, interval: 0)
                let first = try LoRATrainer(model: tiny.model, options: options())
                let broken = try first.train(
                    rows: rows, heldOut: heldOut, checkpoints: checkpoints
                ) { progress in
                    switch progress.event {
                    case .step(let report): report.step < stop
                    case .evaluation(let step, _, _): step < stop
                    default: true
                    }
                }
                #expect(broken.end == .cancelled)
                let second = try LoRATrainer(model: tiny.model, options: options())
                let report = try second.train(
                    rows: rows, heldOut: heldOut, checkpoints: checkpoints, resumes: true)
                #expect(numbers(second.adapter) == numbers(whole.adapter), "stopped at \(stop)")
                #expect(report.steps == expected.steps)
                #expect(report.heldOutLossBefore == expected.heldOutLossBefore)
                #expect(report.heldOutLossAfter == expected.heldOutLossAfter)
                #expect(report.finalStep == expected.finalStep && report.end == expected.end)
            }
        }

        /// What a training depends on beside LoRA's factors and our own order of batches.
        enum Kind: String, CaseIterable {
            case dora, doraWithDropout, mlx

            func change(_ options: inout TrainingOptions) {
                switch self {
                case .dora: options.kind = .dora
                case .doraWithDropout:
                    options.kind = .dora
                    options.dropout = 0.2
                    // What is held out gets worse here: the best numbers would be the first.
                    options.keepsBest = false
                case .mlx: options.matchMLX()
                }
            }
        }

        @Test(arguments: Kind.allCases)
        func otherKindsEndWithTheSameBitsToo(_ kind: Kind) throws {
            let tiny = try TinyModel()
            let options = options(kind.change)
            let rows = kind == .mlx ? rows.map { $0.asInMLX(maxSequenceLength: 64) } : rows
            let whole = try LoRATrainer(model: tiny.model, options: options)
            let expected = try whole.train(rows: rows, heldOut: heldOut)
            for stop in [0, 1, 4, 7, 11] {
                let checkpoints = CheckpointOptions(
                    url: tiny.folder.file("state-\(stop)"), interval: 0)
                _ = try LoRATrainer(model: tiny.model, options: options).train(
                    rows: rows, heldOut: heldOut, checkpoints: checkpoints
                ) { progress in
                    switch progress.event {
                    case .step(let report): report.step < stop
                    case .evaluation(let step, _, _): step < stop
                    default: true
                    }
                }
                let second = try LoRATrainer(model: tiny.model, options: options)
                let report = try second.train(
                    rows: rows, heldOut: heldOut, checkpoints: checkpoints, resumes: true)
                #expect(numbers(second.adapter) == numbers(whole.adapter), "stopped at \(stop)")
                #expect(report.steps == expected.steps)
                #expect(report.heldOutLossAfter == expected.heldOutLossAfter)
            }
            if kind != .mlx {
                let magnitude = try #require(whole.adapter[2, .down]?.magnitude)
                let fresh = try LoRATrainer(model: tiny.model, options: options)
                #expect(magnitude.values.array != fresh.adapter[2, .down]?.magnitude?.values.array)
            }
        }

        @Test func checkpointsComeAtTheirStepsAndAnyOfThemGivesTheSameBits() throws {
            let tiny = try TinyModel()
            let url = tiny.folder.file("state")
            let checkpoints = CheckpointOptions(url: url, interval: 5)
            let whole = try LoRATrainer(model: tiny.model, options: options())
            var copies: [Int: URL] = [:]
            _ = try whole.train(rows: rows, heldOut: heldOut, checkpoints: checkpoints) {
                guard case .checkpoint(let step, let seconds) = $0.event else { return true }
                #expect(seconds > 0)
                let copy = tiny.folder.file("copy-\(step)")
                try? FileManager.default.copyItem(at: url, to: copy)
                copies[step] = copy
                return true
            }
            #expect(copies.keys.sorted() == [0, 5, 10])
            for copy in copies.values {
                let trainer = try LoRATrainer(model: tiny.model, options: options())
                _ = try trainer.train(
                    rows: rows, heldOut: heldOut,
                    checkpoints: CheckpointOptions(url: copy, interval: 5), resumes: true)
                #expect(numbers(trainer.adapter) == numbers(whole.adapter))
            }
            #expect(try mode(of: url) == 0o600)
        }

        @Test func whatFollowsARestorationIsTheSameToo() throws {
            // The first update ruins the numbers, the second step finds out and takes them back to
            // what was kept as good: a checkpoint between the two must hold those as well.
            let tiny = try TinyModel()
            let diverging = options {
                $0.learningRate = 1e38
                $0.warmupSteps = 0
                $0.schedule = .constant
                $0.iterations = 3
            }
            let whole = try LoRATrainer(model: tiny.model, options: diverging)
            let expected = try whole.train(rows: rows)
            #expect(expected.restorations > 0)
            for stop in 1...2 {
                let checkpoints = CheckpointOptions(
                    url: tiny.folder.file("state-\(stop)"), interval: 0)
                var seen = 0
                _ = try LoRATrainer(model: tiny.model, options: diverging).train(
                    rows: rows, checkpoints: checkpoints
                ) { progress in
                    switch progress.event {
                    case .step, .restored: seen += 1
                    default: break
                    }
                    return seen < stop
                }
                let second = try LoRATrainer(model: tiny.model, options: diverging)
                let report = try second.train(rows: rows, checkpoints: checkpoints, resumes: true)
                #expect(report.steps.map(\.isApplied) == expected.steps.map(\.isApplied))
                #expect(numbers(second.adapter) == numbers(whole.adapter))
            }
        }

        @Test func anotherTrainingIsRefusedAndNothingChanges() throws {
            let tiny = try TinyModel()
            let url = tiny.folder.file("state")
            let checkpoints = CheckpointOptions(url: url, interval: 5)
            _ = try LoRATrainer(model: tiny.model, options: options()).train(
                rows: rows, checkpoints: checkpoints)
            let refused = TrainingError.checkpoint(path: url.path, problem: .otherTraining)
            var changed = rows
            changed[0].ids[3] += 1
            for (rows, options) in [
                (changed, options()), (rows, options { $0.rank = 5 }),
                (rows, options { $0.learningRate = 1e-3 }), (Array(rows.dropLast()), options()),
            ] {
                let trainer = try LoRATrainer(model: tiny.model, options: options)
                let before = numbers(trainer.adapter)
                #expect(throws: refused) {
                    try trainer.train(rows: rows, checkpoints: checkpoints, resumes: true)
                }
                #expect(numbers(trainer.adapter) == before)
            }
            #expect(refused.description.contains("another training run"))
        }

        @Test func brokenCheckpointsAreNamed() throws {
            let tiny = try TinyModel()
            let url = tiny.folder.file("state")
            let checkpoints = CheckpointOptions(url: url, interval: 5)
            _ = try LoRATrainer(model: tiny.model, options: options()).train(
                rows: rows, checkpoints: checkpoints)
            let whole = try Data(contentsOf: url)
            for length in [0, 7, 100, whole.count / 2, whole.count - 1] {
                try whole.prefix(length).write(to: url)
                let trainer = try LoRATrainer(model: tiny.model, options: options())
                #expect(throws: TrainingError.self) {
                    try trainer.train(rows: rows, checkpoints: checkpoints, resumes: true)
                }
            }
        }

        @Test func aCheckpointThatCannotBeWrittenStopsNothing() throws {
            let tiny = try TinyModel()
            let checkpoints = CheckpointOptions(
                url: tiny.folder.file("no-such-folder/state"), interval: 5)
            let trainer = try LoRATrainer(model: tiny.model, options: options())
            var failures: [Int] = []
            let report = try trainer.train(rows: rows, checkpoints: checkpoints) {
                if case .checkpointFailed(let step, _) = $0.event { failures.append(step) }
                return true
            }
            #expect(report.end == .finished && failures == [0, 5, 10])
        }

        private func mode(of url: URL) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions] as? Int
        }
    }
}
