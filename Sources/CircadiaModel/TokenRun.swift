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
        guard var logits = readPrompt(prompt, cache: cache, into: &run, isCancelled: isCancelled)
        else { return run }
        let generationStart = ContinuousClock.now
        let penalises = options.repetitionPenalty != 1
        let start = cache.count
        // Room for the whole reply, so that the loop allocates nothing.
        let longest = min(options.maxTokens, cache.remaining + 1)
        var recent = penalises ? Array(history) + Array(prompt) : []
        if penalises { recent.reserveCapacity(recent.count + longest) }
        run.tokens.reserveCapacity(longest)
        var batch = GuessedBatch(
            text: options.usesLookup && isBatchInvariant ? quotable + history + prompt : nil,
            longest: longest)
        while run.generatedTokens < options.maxTokens {
            if isCancelled() {
                run.finishReason = .cancelled
                break
            }
            let token = sampler.sample(logits[batch.row], recent: recent)
            run.generatedTokens += 1
            let isGuessed = batch.isGuessed(token)
            if !isGuessed { cache.truncate(to: cache.count - batch.unusedGuesses) }
            if stopTokens.contains(token) {
                run.finishReason = .stop
                break
            }
            run.tokens.append(token)
            batch.append(token)
            if penalises { recent.append(token) }
            if !onToken(token) {
                run.finishReason = .cancelled
                break
            }
            if run.generatedTokens == options.maxTokens { break }
            if isGuessed {
                batch.row += 1
                run.acceptedTokens += 1
                continue
            }
            if cache.remaining == 0 {
                run.finishReason = .context
                break
            }
            let limit = min(cache.remaining - 1, options.maxTokens - run.generatedTokens - 1)
            run.draftedTokens += batch.restart(with: token, limit: limit)
            logits = forward(batch.tokens, cache: cache, logits: .all)
        }
        // Correct guesses that are no longer needed.
        cache.truncate(to: min(cache.count, start + run.tokens.count))
        run.generationSeconds = generationStart.duration(to: .now).seconds
        return run
    }

    /// Reads a prompt in chunks.
    ///
    /// - Returns: the logits after its last token, or nil if the run was cancelled, which `run` then
    ///   says.
    private func readPrompt(
        _ prompt: ArraySlice<Int32>, cache: KVCache, into run: inout TokenRun,
        isCancelled: () -> Bool
    ) -> Logits? {
        let start = ContinuousClock.now
        defer { run.promptSeconds = start.duration(to: .now).seconds }
        var logits = Logits.empty
        var rest = prompt
        while !rest.isEmpty {
            if isCancelled() {
                run.finishReason = .cancelled
                return nil
            }
            let chunk = rest.prefix(Self.chunkSize)
            rest = rest.dropFirst(chunk.count)
            logits = chunk.withUnsafeBufferPointer {
                forward($0, cache: cache, logits: rest.isEmpty ? .last : .none)
            }
            run.promptTokens += chunk.count
        }
        return logits
    }
}

/// The tokens that pass through the model together: the last one drawn, then guesses of what follows.
private struct GuessedBatch {
    private(set) var tokens: [Int32] = []
    /// The row of the logits to draw from: so many guesses were right.
    var row = 0
    private var lookup: LookupDraft?

    /// An empty batch.
    ///
    /// - Parameters:
    ///   - text: what guesses are taken from; nil makes none.
    ///   - longest: tokens that will be drawn at most.
    init(text: [Int32]?, longest: Int) {
        lookup = text.map { LookupDraft(text: $0) }
        tokens.reserveCapacity(1 + LookupDraft.longest)
        lookup?.reserveCapacity(longest)
    }

    /// Guesses that were read and are not confirmed.
    var unusedGuesses: Int { max(0, tokens.count - 1 - row) }

    /// Whether the next guess is this token.
    func isGuessed(_ token: Int32) -> Bool {
        row + 1 < tokens.count && tokens[row + 1] == token
    }

    /// Adds a drawn token to the text that guesses are taken from.
    mutating func append(_ token: Int32) { lookup?.append(token) }

    /// Begins a new batch with the token that was drawn last.
    ///
    /// - Returns: how many guesses follow it.
    mutating func restart(with token: Int32, limit: Int) -> Int {
        tokens.removeAll(keepingCapacity: true)
        tokens.append(token)
        lookup?.guess(limit: limit, into: &tokens)
        row = 0
        return tokens.count - 1
    }
}

extension Duration {
    /// The duration in seconds.
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
