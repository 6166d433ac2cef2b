import Testing

import CircadiaFiles
import CircadiaFormats
import CircadiaKernels
import CircadiaModel

extension ModelTests {
    @Suite struct ForwardTests {
        /// f32 sums in another order, through 3 blocks.
        static let tolerance: Float = 2e-5

        @Test func prefillAgreesWithTokenByToken() throws {
            let model = try TinyModel().load()
            let tokens = TinyModel.tokens(300)
            let whole = copy(
                model.forward(tokens, cache: model.makeCache(capacity: 300), logits: .all))
            let cache = model.makeCache(capacity: 300)
            for (index, token) in tokens.enumerated() {
                let row = copy(model.forward([token], cache: cache))
                let expected = whole[index * 300..<(index + 1) * 300]
                #expect(relativeDifference(row, expected) < Self.tolerance, "token \(index)")
            }
            #expect(cache.count == 300)
        }

        @Test(arguments: [Precision.exact, .int8]) func chunksDoNotMatter(
            precision: Precision
        ) throws {
            let model = try TinyModel().load(precision)
            // More than two of the model's own chunks.
            let tokens = TinyModel.tokens(1100)
            let whole = copy(
                model.forward(tokens, cache: model.makeCache(capacity: 1100), logits: .last))
            for size in [1100, 700, 64, 33] {
                let cache = model.makeCache(capacity: 1100)
                var last: [Float] = []
                for start in stride(from: 0, to: tokens.count, by: size) {
                    let part = Array(tokens[start..<min(tokens.count, start + size)])
                    last = copy(model.forward(part, cache: cache))
                }
                // Keys in f16, activations in 8 bits: a rounding may fall the other way.
                let tolerance: Float = precision == .exact ? Self.tolerance : 0.02
                #expect(relativeDifference(last, whole) < tolerance, "chunks of \(size)")
            }
        }

        @Test func requestsAgree() throws {
            let model = try TinyModel().load()
            let tokens = TinyModel.tokens(20)
            let all = copy(
                model.forward(tokens, cache: model.makeCache(capacity: 20), logits: .all))
            #expect(all.count == 20 * 300)
            let cache = model.makeCache(capacity: 20)
            let none = model.forward(Array(tokens.prefix(19)), cache: cache, logits: .none)
            #expect(none.rows == 0)
            let last = copy(model.forward([tokens[19]], cache: cache, logits: .last))
            #expect(relativeDifference(last, all.suffix(300)) < Self.tolerance)
        }

        @Test func truncatedCacheIsLikeAFreshOne() throws {
            let model = try TinyModel().load()
            let first = TinyModel.tokens(40, seed: 1)
            let second = TinyModel.tokens(300, seed: 2)
            let third = TinyModel.tokens(30, seed: 3)
            let used = model.makeCache(capacity: 1000)
            model.forward(first, cache: used, logits: .none)
            model.forward(second, cache: used, logits: .none)
            used.truncate(to: first.count)
            let fresh = model.makeCache(capacity: 1000)
            model.forward(first, cache: fresh, logits: .none)
            #expect(
                copy(model.forward(third, cache: used))
                    == copy(model.forward(third, cache: fresh)))
            #expect(used.count == 70)
            #expect(used.remaining == 930)
        }

        @Test func cacheGrowsInStepsUpToItsCapacity() throws {
            let model = try TinyModel().load(.int8)
            let cache = model.makeCache(capacity: 300)
            #expect(cache.byteCount == 0)
            model.forward(TinyModel.tokens(10), cache: cache, logits: .none)
            let small = cache.byteCount
            model.forward(TinyModel.tokens(240), cache: cache, logits: .none)
            #expect(cache.byteCount == small)
            model.forward(TinyModel.tokens(50), cache: cache, logits: .none)
            // 3 blocks × 2 heads × 304 tokens (whole blocks of 16) × 32 bytes a key and a value, with 2 steps and 1.
            #expect(cache.byteCount == 3 * 2 * 304 * (32 + 2 * 4 + 32 + 4))
            #expect(cache.remaining == 0)
        }

        @Test(arguments: [Precision.exact, .int8]) func threadsDoNotMatter(
            precision: Precision
        ) throws {
            let tiny = try TinyModel()
            let tokens = TinyModel.tokens(150)
            var results: [[Float]] = []
            for count in [1, 2, 8] {
                try KernelRuntime.withThreads(count) {
                    let base = try tiny.load(precision)
                    let model = base.with(LoRAAdapter.random(for: base.configuration, seed: 4))
                    let cache = model.makeCache(capacity: 200)
                    var logits = copy(model.forward(tokens, cache: cache, logits: .all))
                    for token in TinyModel.tokens(10, seed: 9) {
                        logits += copy(model.forward([token], cache: cache))
                    }
                    results.append(logits)
                }
            }
            #expect(results[0] == results[1])
            #expect(results[0] == results[2])
            #expect(results[0].allSatisfy { $0.isFinite })
        }

        @Test func aSeparateHeadIsUsed() throws {
            let changes: JSONObject = ["tie_word_embeddings": .bool(false)]
            let model = try TinyModel(changes: changes).load()
            #expect(model.weights.head !== model.weights.embedding)
            let tied = try TinyModel().load()
            #expect(tied.weights.head === tied.weights.embedding)
            let tokens = TinyModel.tokens(5)
            let logits = copy(model.forward(tokens, cache: model.makeCache(capacity: 5)))
            #expect(
                logits != copy(tied.forward(tokens, cache: tied.makeCache(capacity: 5))))
        }

        @Test func aMissingTensorIsNamed() throws {
            let tiny = try TinyModel()
            let text = try String(
                contentsOf: tiny.folder.file("config.json"), encoding: .utf8
            ).replacingOccurrences(of: "\"num_hidden_layers\": 3", with: "\"num_hidden_layers\": 4")
            try text.write(
                to: tiny.folder.file("config.json"), atomically: true, encoding: .utf8)
            let directory = try ModelDirectory(tiny.folder.url)
            let error = #expect(throws: FormatError.self) { try LlamaModel(directory: directory) }
            let message = "\(try #require(error))"
            #expect(message.contains("model.layers.3.input_layernorm.weight"), "\(message)")
        }
    }
}
