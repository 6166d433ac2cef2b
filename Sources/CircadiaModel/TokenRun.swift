/// What the token loop gave and what it took; text comes later.
package struct TokenRun {
    /// The tokens before the stop token.
    var tokens: [Int32] = []
    /// Tokens of the prompt that were read.
    var promptTokens = 0
    /// Tokens drawn, the stop token among them.
    package var generatedTokens = 0
    /// Tokens guessed by lookup, and those of them that were right.
    var draftedTokens = 0
    var acceptedTokens = 0
    var promptSeconds = 0.0
    var generationSeconds = 0.0
    var finishReason = FinishReason.length
}

extension AdaptedModel {
    /// Reads `prompt` into `cache` and draws tokens after it.
    ///
    /// Afterwards the cache holds the prompt and all `tokens` but perhaps the last one: a token is
    /// read only when the one after it is wanted.
    ///
    /// Tokens guessed by lookup are read together with the one before them. Each is drawn all the
    /// same, from the logits that its place would have had without guesses, bit for bit; where the
    /// draw agrees the next one's logits are there already, else what was read too far is taken back.
    ///
    /// - Parameters:
    ///   - prompt: at least one token; `cache.remaining` at most.
    ///   - history: tokens before the prompt, for the repetition penalty and for guesses.
    ///   - quotable: other text that the reply may quote, for guesses.
    ///   - cache: what was read before.
    ///   - stopTokens: tokens that end the run.
    ///   - options: how tokens are drawn, and how many at most.
    ///   - onToken: gets each token before the next one is made; false ends the generation.
    ///   - isCancelled: asked between the chunks of the prompt and between tokens.
    /// - Returns: the tokens, timings and why the run ended.
    package func generateTokens(
        prompt: ArraySlice<Int32>, history: ArraySlice<Int32>, quotable: [Int32] = [],
        cache: KVCache,
        stopTokens: Set<Int32>, options: SamplingOptions, onToken: (Int32) -> Bool,
        isCancelled: () -> Bool
    ) -> TokenRun {
        var run = TokenRun()
        var sampler = Sampler(options)
        let clock = ContinuousClock()
        let promptStart = clock.now
        var logits = Logits.empty
        var rest = prompt
        while !rest.isEmpty {
            if isCancelled() {
                run.finishReason = .cancelled
                run.promptSeconds = (clock.now - promptStart).seconds
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
        run.promptSeconds = (generationStart - promptStart).seconds
        var recent = options.repetitionPenalty == 1 ? [] : Array(history) + Array(prompt)
        var lookup =
            options.usesLookup && isBatchInvariant
            ? LookupDraft(text: quotable + history + prompt) : nil
        let start = cache.count
        var batch: [Int32] = []
        // The row of `logits` to draw from: that many of the guesses in `batch` were right.
        var row = 0
        // Room for the whole reply, so that the loop allocates nothing.
        let longest = min(options.maxTokens, cache.remaining + 1)
        run.tokens.reserveCapacity(longest)
        batch.reserveCapacity(1 + LookupDraft.longest)
        lookup?.reserveCapacity(longest)
        if options.repetitionPenalty != 1 { recent.reserveCapacity(recent.count + longest) }
        while run.generatedTokens < options.maxTokens {
            if isCancelled() {
                run.finishReason = .cancelled
                break
            }
            let token = sampler.sample(logits[row], recent: recent)
            run.generatedTokens += 1
            let isGuessed = row + 1 < batch.count && batch[row + 1] == token
            if !isGuessed { cache.truncate(to: cache.count - max(0, batch.count - 1 - row)) }
            if stopTokens.contains(token) {
                run.finishReason = .stop
                break
            }
            run.tokens.append(token)
            lookup?.append(token)
            if options.repetitionPenalty != 1 { recent.append(token) }
            if !onToken(token) {
                run.finishReason = .cancelled
                break
            }
            if run.generatedTokens == options.maxTokens { break }
            if isGuessed {
                row += 1
                run.acceptedTokens += 1
                continue
            }
            if cache.remaining == 0 {
                run.finishReason = .context
                break
            }
            batch.removeAll(keepingCapacity: true)
            batch.append(token)
            let limit = min(cache.remaining - 1, options.maxTokens - run.generatedTokens - 1)
            lookup?.guess(limit: limit, into: &batch)
            run.draftedTokens += batch.count - 1
            row = 0
            logits = forward(batch, cache: cache, logits: .all)
        }
        // Guesses that were right but not asked for any more.
        cache.truncate(to: min(cache.count, start + run.tokens.count))
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
