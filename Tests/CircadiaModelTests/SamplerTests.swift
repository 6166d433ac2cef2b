import Foundation
import Testing

import CircadiaModel

extension ModelTests {
    @Suite struct SamplerTests {
        private func options(
            _ temperature: Float, topP: Float = 1, topK: Int = 0, minP: Float = 0, seed: UInt64 = 0
        ) -> SamplingOptions {
            var options = SamplingOptions()
            options.temperature = temperature
            options.topP = topP
            options.topK = topK
            options.minP = minP
            options.seed = seed
            return options
        }

        /// What a sampler may draw, from a copy of the logits.
        private func distribution(
            _ logits: [Float], _ options: SamplingOptions
        ) -> [Int32: Double] {
            var logits = logits
            var sampler = Sampler(options)
            let result = logits.withUnsafeMutableBufferPointer { sampler.distribution($0) }
            return Dictionary(uniqueKeysWithValues: result.map { ($0.id, $0.probability) })
        }

        private func sample(
            _ logits: [Float], _ sampler: inout Sampler, recent: [Int32] = []
        ) -> Int32 {
            var logits = logits
            return logits.withUnsafeMutableBufferPointer { sampler.sample($0, recent: recent) }
        }

        /// `softmax(logits / temperature)` in Double, over the ids of `kept` (all where nil).
        private func softmax(
            _ logits: [Float], _ temperature: Double, kept: Set<Int>? = nil
        ) -> [Int: Double] {
            var weights: [Int: Double] = [:]
            let maximum = Double(logits.max() ?? 0)
            for (id, logit) in logits.enumerated() where kept?.contains(id) ?? true {
                weights[id] = exp((Double(logit) - maximum) / temperature)
            }
            let total = weights.values.reduce(0, +)
            return weights.mapValues { $0 / total }
        }

        private func expectSame(_ found: [Int32: Double], _ expected: [Int: Double]) {
            for (id, probability) in expected where probability > 1e-8 {
                let other = found[Int32(id)] ?? 0
                #expect(abs(other - probability) < 3e-6 * probability + 1e-9, "token \(id)")
            }
            #expect(abs(found.values.reduce(0, +) - 1) < 1e-9)
        }

        private func noise(_ count: Int, seed: UInt64, spread: Float = 8) -> [Float] {
            var random = SeededGenerator(seed: seed)
            return (0..<count).map { _ in Float(random.uniform() + random.uniform() - 1) * spread }
        }

        @Test func zeroTemperatureIsGreedyAndTheFirstOfEqualsWins() {
            var sampler = Sampler(.greedy(maxTokens: 1))
            #expect(sample([1, 3, 2, 3], &sampler) == 1)
            #expect(sample([-.infinity, -5], &sampler) == 1)
        }

        @Test(arguments: [0.3, 0.7, 1, 2.5])
        func temperatureGivesTheSoftmax(temperature: Double) {
            for count in [1, 15, 16, 17, 1009, 49152] {
                let logits = noise(count, seed: 3)
                expectSame(
                    distribution(logits, options(Float(temperature))),
                    softmax(logits, temperature))
            }
        }

        @Test(arguments: [1, 2, 40, 1000]) func topKKeepsTheLikeliest(k: Int) {
            let logits = noise(1009, seed: 4)
            let order = logits.indices.sorted { (-logits[$0], $0) < (-logits[$1], $1) }
            expectSame(
                distribution(logits, options(0.8, topK: k)),
                softmax(logits, 0.8, kept: Set(order.prefix(k))))
        }

        @Test(arguments: [0.05, 0.5, 0.9, 0.999]) func topPKeepsTheSmallestSet(p: Double) {
            let logits = noise(1009, seed: 5)
            let all = softmax(logits, 0.7)
            let order = logits.indices.sorted { (-logits[$0], $0) < (-logits[$1], $1) }
            var kept: Set<Int> = []
            var sum = 0.0
            for id in order {
                kept.insert(id)
                sum += all[id] ?? 0
                if sum >= p { break }
            }
            expectSame(
                distribution(logits, options(0.7, topP: Float(p))),
                softmax(logits, 0.7, kept: kept))
        }

        @Test func minPDropsTheUnlikely() {
            let logits = noise(1009, seed: 6)
            let all = softmax(logits, 1)
            let limit = 0.1 * (all.values.max() ?? 1)
            let kept = Set(all.filter { $0.value >= limit }.keys)
            #expect(kept.count > 1 && kept.count < 1009)
            expectSame(
                distribution(logits, options(1, minP: 0.1)), softmax(logits, 1, kept: kept))
        }

        @Test func topPWorksOnWhatTopKLeaves() {
            // Probabilities 0.4, 0.3, 0.2, 0.1; of the first three 0.44, 0.33, 0.22.
            let logits = [0.1, 0.4, 0.2, 0.3].map { Float(log($0)) }
            let found = distribution(logits, options(1, topP: 0.75, topK: 3))
            #expect(Set(found.keys) == [1, 3])
        }

        @Test func drawsFollowTheDistribution() {
            let logits = noise(50, seed: 7, spread: 2)
            let expected = softmax(logits, 1)
            var sampler = Sampler(options(1, seed: 11))
            var counts = [Int](repeating: 0, count: 50)
            let draws = 20_000
            for _ in 0..<draws { counts[Int(sample(logits, &sampler))] += 1 }
            var chiSquare = 0.0
            for (id, probability) in expected {
                let mean = probability * Double(draws)
                chiSquare += (Double(counts[id]) - mean) * (Double(counts[id]) - mean) / mean
            }
            // 49 degrees of freedom: mean 49, deviation 10.
            #expect(chiSquare < 95 && chiSquare > 15, "chi-square \(chiSquare)")
        }

        @Test func seedsDecideTheSequence() {
            let logits = noise(300, seed: 8, spread: 3)
            func draw(_ seed: UInt64) -> [Int32] {
                var sampler = Sampler(options(1, topP: 0.95, seed: seed))
                return (0..<20).map { _ in sample(logits, &sampler) }
            }
            #expect(draw(1) == draw(1))
            #expect(draw(1) != draw(2))
        }

        @Test func theGeneratorIsTheSameEverywhere() {
            // xoshiro256** seeded with SplitMix64(0), computed independently.
            var random = SeededGenerator(seed: 0)
            #expect(random.next() == 0x99EC_5F36_CB75_F2B4)
            #expect(random.next() == 0xBF6E_1F78_4956_452A)
            #expect(random.next() == 0x1A5F_849D_4933_E6E0)
        }

        @Test func repetitionIsPenalisedOnceInsideTheWindow() {
            var options = SamplingOptions.greedy(maxTokens: 1)
            options.repetitionPenalty = 2
            options.repetitionWindow = 3
            var sampler = Sampler(options)
            #expect(sample([3, 2, -1], &sampler, recent: []) == 0)
            #expect(sample([3, 2, -1], &sampler, recent: [0, 0, 0]) == 1)
            // Token 0 has left the window.
            #expect(sample([3, 2, -1], &sampler, recent: [0, 1, 2, 1]) == 0)
            // Negative logits grow more negative.
            #expect(sample([-1, -1.5, -9], &sampler, recent: [0, 99]) == 1)
        }

        @Test func impossibleLogitsStillGiveAToken() {
            var sampler = Sampler(options(1, topP: 0.9))
            #expect(sample([.nan, .nan], &sampler) == 0)
            #expect(sample([-.infinity, 1, -.infinity], &sampler) == 1)
        }
    }
}
