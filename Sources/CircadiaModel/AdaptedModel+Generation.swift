import CircadiaKernels
import CircadiaTokenizer

extension AdaptedModel {
    /// Continues a prompt with text that is handed over as it comes.
    ///
    /// - Parameters:
    ///   - prompt: ids in `0 ..< vocabularySize`, not empty, shorter than the context.
    ///   - tokenizer: the model's own.
    ///   - stopTokens: tokens that end the text; they are not part of it.
    ///   - options: how tokens are drawn, and how many at most.
    ///   - contextLength: tokens of prompt and text together; nil for the model's own limit.
    ///   - onText: gets each piece of text, whole characters only; false ends the generation.
    ///   - isCancelled: asked often, also while the prompt is read.
    /// - Returns: the text, timings and why it ended.
    /// - Throws: `ModelError.emptyPrompt`, `.promptTooLong`, `.unknownToken`.
    package func generate(
        prompt: [Int32], tokenizer: BPETokenizer, stopTokens: Set<Int32>,
        options: SamplingOptions, contextLength: Int? = nil,
        onText: (String) -> Bool = { _ in true }, isCancelled: () -> Bool = { false }
    ) throws(ModelError) -> GenerationResult {
        let limit = contextLength ?? configuration.contextLength
        guard !prompt.isEmpty else { throw .emptyPrompt }
        guard prompt.count < limit else {
            throw .promptTooLong(tokens: prompt.count, contextLength: limit)
        }
        try check(prompt)
        var decoder = tokenizer.makeStreamDecoder(skippingSpecial: true)
        var text = ""
        text.reserveCapacity(8 * min(options.maxTokens, limit - prompt.count))
        let run = generateTokens(
            prompt: prompt[...], history: [], cache: makeCache(capacity: limit),
            stopTokens: stopTokens, options: options,
            onToken: { token in
                let piece = decoder.append(token)
                text += piece
                return piece.isEmpty || onText(piece)
            }, isCancelled: isCancelled)
        let tail = decoder.finish()
        if !tail.isEmpty {
            text += tail
            _ = onText(tail)
        }
        return GenerationResult(run: run, text: text)
    }

    /// Checks that the model has an embedding for every token.
    ///
    /// - Throws: `ModelError.unknownToken`.
    package func check(_ tokens: [Int32]) throws(ModelError) {
        let size = configuration.vocabularySize
        for (position, id) in tokens.enumerated() where id < 0 || id >= size {
            throw .unknownToken(id: id, position: position, vocabularySize: size)
        }
    }

    /// Checks that a tokenizer makes no ids beyond the model's embedding.
    ///
    /// - Throws: `ModelError.vocabularyMismatch`.
    package func check(_ tokenizer: BPETokenizer) throws(ModelError) {
        guard tokenizer.vocabularySize <= configuration.vocabularySize else {
            throw .vocabularyMismatch(
                tokenizer: tokenizer.vocabularySize, model: configuration.vocabularySize)
        }
    }
}

extension GenerationResult {
    init(run: TokenRun, text: String) {
        self.init(
            text: text, tokens: run.tokens, promptTokens: run.promptTokens,
            generatedTokens: run.generatedTokens, draftedTokens: run.draftedTokens,
            acceptedTokens: run.acceptedTokens, promptSeconds: run.promptSeconds,
            generationSeconds: run.generationSeconds, finishReason: run.finishReason)
    }
}
