import CircadiaKernels

extension AdaptedModel {
    /// Reads tokens: appends their keys and values to `cache` and scores the tokens asked for.
    ///
    /// Long inputs pass in chunks, so scratch memory stays small.
    ///
    /// - Parameters:
    ///   - tokens: ids in `0 ..< vocabularySize` (others trap); `cache.remaining` at most.
    ///   - cache: the conversation so far.
    ///   - logits: which of `tokens` to score.
    /// - Returns: the scores, `[rows, vocabulary]`, valid until the next call in the same memory.
    @discardableResult
    package func forward(
        _ tokens: [Int32], cache: KVCache, logits: LogitsRequest = .last
    ) -> Logits {
        tokens.withUnsafeBufferPointer { forward($0, cache: cache, logits: logits) }
    }

    /// As `forward(_:cache:logits:)`, from memory that the caller owns.
    @discardableResult
    package func forward(
        _ tokens: UnsafeBufferPointer<Int32>, cache: KVCache, logits: LogitsRequest = .last
    ) -> Logits {
        let wanted =
            switch logits {
            case .none: 0
            case .last: min(1, tokens.count)
            case .all: tokens.count
            }
        reserveHead(rows: wanted)
        memory.forwardCall = ForwardCall(
            model: self, tokens: tokens, cache: cache, wanted: wanted)
        KernelRuntime.withTeam(memory.runForwardCall)
        memory.forwardCall = nil
        return headLogits(rows: wanted)
    }

    /// Reads all chunks and writes the logits of the last `wanted` tokens.
    func readAndScore(
        _ tokens: UnsafeBufferPointer<Int32>, cache: KVCache, wanted: Int
    ) {
        let firstWanted = tokens.count - wanted
        var start = 0
        while start < tokens.count {
            let end = min(tokens.count, start + Self.chunkSize)
            let first = min(end, max(start, firstWanted)) - start
            read(
                UnsafeBufferPointer(rebasing: tokens[start..<end]), cache: cache, from: first)
            let count = end - start - first
            if count > 0 {
                score(
                    hidden: memory.scratch.x.pointer + first * configuration.hiddenSize,
                    rows: count,
                    into: start + first - firstWanted)
            }
            start = end
        }
    }

    /// Passes one chunk through all layers; afterwards rows `first...` of `scratch.x` hold the last
    /// layer's output. Rows before `first` are read into the cache, their output is left undefined.
    func read(_ tokens: UnsafeBufferPointer<Int32>, cache: KVCache, from first: Int) {
        let count = tokens.count
        if memory.scratch.tokens < count {
            memory.scratch = ForwardScratch(configuration: configuration, tokens: count)
        }
        let scratch = memory.scratch
        if let adapter { scratch.reserve(rank: adapter.rank, isDoRA: adapter.isDoRA) }
        cache.reserve(count)
        let past = cache.count
        for index in 0..<count { scratch.positions[index] = Int32(past + index) }
        if let ids = tokens.baseAddress {
            weights.embedding.embed(ids, count: count, into: scratch.x.pointer)
        }
        let pass = ForwardPass(model: self, cache: cache, tokens: count)
        for layer in weights.layers {
            let start = layer.index == weights.layers.count - 1 ? first : 0
            layer.attend(pass, from: start)
            layer.feedForward(pass, from: start)
        }
        cache.advance(by: count)
    }

    /// Makes room for `rows` rows of logits.
    func reserveHead(rows: Int) {
        if memory.headScratch.rows < rows {
            memory.headScratch = HeadScratch(configuration: configuration, rows: rows)
        }
    }

    /// Norm and head for `rows` consecutive rows, written to the logits from row `target` on.
    private func score(hidden: UnsafePointer<Float>, rows: Int, into target: Int) {
        let width = configuration.hiddenSize
        let headScratch = memory.headScratch
        Kernels.rmsNorm(
            x: hidden, weight: weights.finalNorm.pointer, tokens: rows, width: width,
            epsilon: configuration.rmsNormEpsilon, y: headScratch.normed.pointer)
        let out = headScratch.logits.pointer + target * configuration.vocabularySize
        Kernels.matmul(
            headPrecision, x: headScratch.normed.pointer, tokens: rows, weights: weights.headOnly,
            outputs: target == 0 ? headScratch.outputs : [out], workspace: memory.workspace)
    }

    private func headLogits(rows: Int) -> Logits {
        Logits(
            rows: rows, vocabularySize: configuration.vocabularySize,
            values: UnsafeMutableBufferPointer(
                start: memory.headScratch.logits.pointer, count: rows * configuration.vocabularySize
            ))
    }
}
