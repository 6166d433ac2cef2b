/// What the token loop gave and what it took; text comes later.
struct TokenRun {
    /// The tokens before the stop token.
    var tokens: [Int32] = []
    /// Tokens of the prompt that were read.
    var promptTokens = 0
    /// Tokens drawn, the stop token among them.
    var generatedTokens = 0
    var promptSeconds = 0.0
    var generationSeconds = 0.0
    var finishReason = FinishReason.length
}

extension LlamaModel {
    /// Reads `prompt` into `cache` and draws tokens after it.
    ///
    /// Afterwards the cache holds the prompt and all `tokens` but perhaps the last one: a token is
    /// read only when the one after it is wanted.
    ///
    /// - Parameters:
    ///   - prompt: at least one token; `cache.remaining` at most.
    ///   - history: tokens before the prompt, for the repetition penalty.
    ///   - cache: what was read before.
    ///   - stopTokens: tokens that end the run.
    ///   - options: how tokens are drawn, and how many at most.
    ///   - onToken: gets each token before the next one is made; false ends the generation.
    ///   - isCancelled: asked between the chunks of the prompt and between tokens.
    /// - Returns: the tokens, timings and why the run ended.
    func generateTokens(
        prompt: ArraySlice<Int32>, history: ArraySlice<Int32>, cache: KVCache,
        stopTokens: Set<Int32>, options: SamplingOptions, onToken: (Int32) -> Bool,
        isCancelled: () -> Bool
    ) -> TokenRun {
        var run = TokenRun()
        var sampler = Sampler(options)
        let clock = ContinuousClock()
        let start = clock.now
        var logits = Logits.empty
        var rest = prompt
        while !rest.isEmpty {
            if isCancelled() {
                run.finishReason = .cancelled
                run.promptSeconds = (clock.now - start).seconds
                return run
            }
            let chunk = rest.prefix(Self.chunkSize)
            rest = rest.dropFirst(chunk.count)
            logits = chunk.withUnsafeBufferPointer {
                forward($0, cache: cache, logits: rest.isEmpty ? .last : .none)
            }
            run.promptTokens += chunk.count
        }
        let generationStart = clock.now
        run.promptSeconds = (generationStart - start).seconds
        var recent = options.repetitionPenalty == 1 ? [] : Array(history) + Array(prompt)
        run.tokens.reserveCapacity(min(options.maxTokens, cache.remaining + 1))
        while run.generatedTokens < options.maxTokens {
            if isCancelled() {
                run.finishReason = .cancelled
                break
            }
            var token = sampler.sample(logits[0], recent: recent)
            run.generatedTokens += 1
            if stopTokens.contains(token) {
                run.finishReason = .stop
                break
            }
            run.tokens.append(token)
            if options.repetitionPenalty != 1 { recent.append(token) }
            if !onToken(token) {
                run.finishReason = .cancelled
                break
            }
            if run.generatedTokens == options.maxTokens { break }
            if cache.remaining == 0 {
                run.finishReason = .context
                break
            }
            logits = withUnsafePointer(to: &token) {
                forward(UnsafeBufferPointer(start: $0, count: 1), cache: cache)
            }
        }
        run.generationSeconds = (clock.now - generationStart).seconds
        return run
    }
}

extension Duration {
    /// The duration in seconds.
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
