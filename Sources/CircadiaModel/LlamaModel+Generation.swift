import CircadiaTokenizer
import Dispatch

extension LlamaModel {
    /// Continues a prompt in a cache of its own.
    ///
    /// - `prompt`: token ids; where it is longer than the context, only its end is read.
    /// - `stopTokens`: end the text and are no part of it.
    /// - `onText`: gets the text as it becomes whole characters; false ends the generation.
    public func generate(
        prompt: [Int32], tokenizer: BPETokenizer, stopTokens: Set<Int32>,
        options: SamplingOptions, onText: (String) -> Bool = { _ in true }
    ) -> GenerationResult {
        let context = configuration.contextLength
        let kept = Array(prompt.suffix(max(1, context - 1)))
        let cache = makeCache(capacity: min(context, kept.count + options.maxTokens))
        return generate(
            reading: kept, after: [], cache: cache, tokenizer: tokenizer, stopTokens: stopTokens,
            options: options, onText: onText)
    }

    /// Reads `reading` into `cache`, which holds the tokens `after` already, and generates.
    ///
    /// Every generated token but the last is in the cache afterwards; the caller knows them from the
    /// result. `reading` must not be empty and must fit.
    public func generate(
        reading: [Int32], after: [Int32], cache: KVCache, tokenizer: BPETokenizer,
        stopTokens: Set<Int32>, options: SamplingOptions, onText: (String) -> Bool
    ) -> GenerationResult {
        let start = DispatchTime.now().uptimeNanoseconds
        var sampler = Sampler(options)
        var decoder = tokenizer.makeStreamDecoder()
        var recent = after + reading
        var text = ""
        var tokens: [Int32] = []
        tokens.reserveCapacity(options.maxTokens)
        var drawn = 0
        var reason = FinishReason.length
        var logits = forward(reading, cache: cache, logits: .last)
        let promptEnd = DispatchTime.now().uptimeNanoseconds

        while drawn < options.maxTokens {
            let token = sampler.sample(logits[0], recent: recent)
            drawn += 1
            if stopTokens.contains(token) {
                reason = .stop
                break
            }
            tokens.append(token)
            recent.append(token)
            let piece = decoder.append(token)
            text += piece
            if !piece.isEmpty, !onText(piece) {
                reason = .cancelled
                break
            }
            if drawn == options.maxTokens { break }
            if cache.remaining == 0 {
                reason = .context
                break
            }
            logits = withUnsafePointer(to: token) {
                forward(UnsafeBufferPointer(start: $0, count: 1), cache: cache, logits: .last)
            }
        }
        let rest = decoder.finish()
        if !rest.isEmpty {
            text += rest
            _ = onText(rest)
        }
        let end = DispatchTime.now().uptimeNanoseconds
        return GenerationResult(
            text: text, tokens: tokens, promptTokens: reading.count, generatedTokens: drawn,
            promptSeconds: Double(promptEnd - start) / 1e9,
            generationSeconds: Double(end - promptEnd) / 1e9, finishReason: reason)
    }
}
