import Testing

import CircadiaKernels
import CircadiaModel
import CircadiaTokenizer

extension ModelTests {
    @Suite struct GenerationTests {
        let model: AdaptedModel
        let tokenizer: BPETokenizer
        let prompt: [Int32]

        init() throws {
            let tiny = try TinyModel()
            tokenizer = try TinyTokenizer(in: tiny.folder.url).tokenizer
            model = try tiny.load()
            prompt = tokenizer.encode("The quick brown fox")
        }

        private func generate(
            _ count: Int, stop: Set<Int32> = [], contextLength: Int? = nil,
            onText: (String) -> Bool = { _ in true }, isCancelled: () -> Bool = { false }
        ) throws -> GenerationResult {
            try model.generate(
                prompt: prompt, tokenizer: tokenizer, stopTokens: stop,
                options: .greedy(maxTokens: count), contextLength: contextLength,
                onText: onText, isCancelled: isCancelled)
        }

        @Test func greedyTakesTheLikeliestToken() throws {
            let result = try generate(12)
            #expect(result.finishReason == .length)
            #expect(result.promptTokens == 19)
            #expect(result.generatedTokens == 12)
            var tokens = prompt
            for token in result.tokens {
                let logits = copy(
                    model.forward(tokens, cache: model.makeCache(capacity: tokens.count)))
                let best = logits.indices.max { logits[$0] < logits[$1] }
                #expect(best.map { Int32($0) } == token)
                tokens.append(token)
            }
            #expect(result.promptSeconds > 0 && result.generationSeconds > 0)
            #expect(result.promptTokensPerSecond > 0 && result.generationTokensPerSecond > 0)
        }

        @Test func aStopTokenEndsTheText() throws {
            let free = try generate(12)
            let stop = free.tokens[6]
            let length = try #require(free.tokens.firstIndex(of: stop))
            let result = try generate(12, stop: [stop])
            #expect(result.finishReason == .stop)
            #expect(result.tokens == Array(free.tokens.prefix(length)))
            #expect(result.generatedTokens == length + 1)
        }

        @Test func piecesMakeUpTheText() throws {
            var options = SamplingOptions()
            options.temperature = 2
            options.topP = 1
            options.maxTokens = 200
            options.seed = 5
            var pieces: [String] = []
            let result = try model.generate(
                prompt: prompt, tokenizer: tokenizer, stopTokens: [], options: options
            ) {
                pieces.append($0)
                return true
            }
            #expect(pieces.joined() == result.text)
            #expect(pieces.allSatisfy { !$0.isEmpty })
            // Streams leave control tokens out; broken UTF-8 may count differently in pieces.
            func readable(_ text: String) -> [Unicode.Scalar] {
                text.unicodeScalars.filter { $0 != "\u{FFFD}" }
            }
            #expect(
                readable(result.text)
                    == readable(
                        tokenizer.decode(result.tokens, skippingSpecial: true)))
        }

        @Test func theCallerCanStop() throws {
            var pieces = 0
            let result = try generate(50) { _ in
                pieces += 1
                return pieces < 3
            }
            #expect(result.finishReason == .cancelled)
            #expect(result.tokens.count < 50)
            let early = try generate(50, isCancelled: { true })
            #expect(early.finishReason == .cancelled)
            #expect(early.promptTokens == 0 && early.tokens.isEmpty)
        }

        @Test func theContextEndsTheText() throws {
            let result = try generate(50, contextLength: 19 + 5)
            #expect(result.finishReason == .context)
            // The last one is drawn, but there is no room to read it.
            #expect(result.tokens.count == 6)
        }

        @Test func badPromptsAreRefused() throws {
            #expect(throws: ModelError.emptyPrompt) {
                try model.generate(
                    prompt: [], tokenizer: tokenizer, stopTokens: [], options: SamplingOptions())
            }
            #expect(throws: ModelError.promptTooLong(tokens: 19, contextLength: 19)) {
                try generate(5, contextLength: 19)
            }
            let error = ModelError.unknownToken(id: 300, position: 1, vocabularySize: 300)
            #expect(throws: error) {
                try model.generate(
                    prompt: [5, 300], tokenizer: tokenizer, stopTokens: [],
                    options: SamplingOptions())
            }
            #expect(
                "\(error)"
                    == "token 1 of the prompt is 300, but the model's vocabulary ends at 299; "
                    + "use the tokenizer that came with the model.")
        }

        @Test func aTokenizerOfALargerModelIsRefused() throws {
            let tiny = try TinyModel()
            let large = try TinyTokenizer(in: tiny.folder.url, extraTokens: 100).tokenizer
            #expect(throws: ModelError.vocabularyMismatch(tokenizer: 359, model: 300)) {
                try model.check(large)
            }
            try model.check(tokenizer)
        }
    }
}
