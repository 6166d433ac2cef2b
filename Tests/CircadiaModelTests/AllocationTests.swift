import AllocationCounter
import CircadiaFormats
import CircadiaKernels
import CircadiaModel
import CircadiaTokenizer
import Testing

/// After its first tokens a reply allocates nothing: memory is made once and used again.
///
/// What is measured is the model, not text, whose strings are made anew: the tokenizer knows 259 tokens,
/// and others of a larger vocabulary have no text.
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
            let tokenizer = try TinyTokenizer(in: tiny.folder.url).tokenizer
            let model = try tiny.load(precision)
            let adapter = LoRAAdapter.random(for: model.configuration, seed: 3)
            for adapter in [nil, adapter] {
                model.adapter = adapter
                let count = try Self.allocations(of: model, tokenizer, options: drawing.options)
                // One of the few tokens with a text may be drawn, and be broken UTF-8.
                #expect(count <= 2, "\(drawing), \(precision), adapter: \(adapter != nil)")
            }
        }

        @Test(.enabled(if: Surroundings.chatModel != nil, "smollm2-135m is not installed"))
        func realModelAllocatesNothing() throws {
            let directory = try ModelDirectory(try #require(Surroundings.chatModel))
            let folder = try TemporaryFolder()
            let tokenizer = try TinyTokenizer(in: folder.url).tokenizer
            let model = try LlamaModel(directory: directory, precision: .int8)
            for drawing in Drawing.allCases {
                let count = try Self.allocations(of: model, tokenizer, options: drawing.options)
                #expect(count == 0, "\(drawing)")
            }
        }

        /// The allocations of all threads between token 10 and token 50 of a reply. The rest of the
        /// process may allocate as well, so the least of some runs counts.
        private static func allocations(
            of model: LlamaModel, _ tokenizer: BPETokenizer, options: SamplingOptions
        ) throws -> Int64 {
            let prompt = tokenizer.encode("The quick brown fox jumps over the lazy dog")
            var least = Int64.max
            for _ in 0..<4 where least > 0 {
                var asked = 0
                var counts: (first: Int64, last: Int64) = (0, 0)
                let result = try model.generate(
                    prompt: prompt, tokenizer: tokenizer, stopTokens: [], options: options,
                    isCancelled: {
                        // Asked once for the prompt, then before each token.
                        asked += 1
                        if asked == 11 { counts.first = allocation_count() }
                        if asked == 51 { counts.last = allocation_count() }
                        return false
                    })
                #expect(result.generatedTokens == 60)
                least = min(least, counts.last - counts.first)
            }
            return least
        }
    }
}
