import CircadiaTestSupport
import AllocationCounter
import Testing

import CircadiaFormats
import CircadiaKernels
import CircadiaModel

/// After its first tokens a reply allocates nothing: memory is made once and used again.
///
/// What is measured is the loop over tokens; a text's pieces are strings of their own.
extension ModelTests {
    @Suite(
        .enabled(if: allocation_count() >= 0, "only glibc's allocations can be counted")
    )
    struct AllocationTests {
        /// A buffer of ten numbers is an allocation, and is counted.
        @Test func allocationsAreCounted() {
            let before = allocation_count()
            let memory = UnsafeMutablePointer<Double>.allocate(capacity: 10)
            defer { memory.deallocate() }
            #expect(allocation_count() > before)
        }

        /// How tokens are drawn, by name.
        enum Drawing: String, CaseIterable {
            case greedy, greedyWithoutLookup, sampled, topK, penalized

            var options: SamplingOptions {
                var options =
                    self == .greedy || self == .greedyWithoutLookup
                    ? SamplingOptions.greedy(maxTokens: 60) : SamplingOptions()
                options.maxTokens = 60
                options.usesLookup = self != .greedyWithoutLookup
                if self == .topK { options.topK = 40 }
                if self == .penalized { options.repetitionPenalty = 1.1 }
                return options
            }
        }

        @Test(arguments: [Precision.int8, .exact], Drawing.allCases)
        func tinyModelAllocatesNothing(_ precision: Precision, _ drawing: Drawing) throws {
            let tiny = try TinyModel(changes: ["vocab_size": .integer(30_000)])
            let model = try tiny.load(precision)
            let adapter = LoRAAdapter.random(for: model.configuration, seed: 3)
            for adapter in [nil, adapter] {
                let model = model.with(adapter)
                let count = Self.allocations(of: model, options: drawing.options)
                #expect(count == 0, "\(drawing), \(precision), adapter: \(adapter != nil)")
            }
        }

        @Test(.enabled(if: Surroundings.chatModel != nil, "smollm2-135m is not installed"))
        func realModelAllocatesNothing() throws {
            let directory = try ModelDirectory(try #require(Surroundings.chatModel))
            let model = try AdaptedModel(directory, .int8)
            let adapter = LoRAAdapter.random(for: model.configuration, seed: 3)
            for adapter in [nil, adapter] {
                let model = model.with(adapter)
                for drawing in Drawing.allCases {
                    let count = Self.allocations(of: model, options: drawing.options)
                    #expect(count == 0, "\(drawing), adapter: \(adapter != nil)")
                }
            }
        }

        /// The allocations of all threads between token 10 and token 50 of a reply. The rest of the
        /// process may allocate as well, so the least of some runs counts.
        private static func allocations(of model: AdaptedModel, options: SamplingOptions) -> Int64 {
            let prompt = (0..<40).map { Int32(20 + $0 % 13) }
            var least = Int64.max
            for _ in 0..<4 where least > 0 {
                var asked = 0
                var counts: (first: Int64, last: Int64) = (0, 0)
                let run = model.generateTokens(
                    prompt: prompt[...], history: [], cache: model.makeCache(capacity: 128),
                    stopTokens: [], options: options, onToken: { _ in true },
                    isCancelled: {
                        // Asked once for the prompt, then before each token.
                        asked += 1
                        if asked == 11 { counts.first = allocation_count() }
                        if asked == 51 { counts.last = allocation_count() }
                        return false
                    })
                #expect(run.generatedTokens == 60)
                least = min(least, counts.last - counts.first)
            }
            return least
        }
    }
}
