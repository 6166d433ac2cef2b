import CircadiaKernels

/// The cross-entropy of scored tokens.
package struct ScoredLoss: Sendable, Equatable {
    /// The sum over the scored tokens, in nats.
    package var nats: Double
    /// The scored tokens.
    package var tokens: Int

    /// A loss of `nats` over `tokens`.
    package init(nats: Double, tokens: Int) {
        self.nats = nats
        self.tokens = tokens
    }

    /// Nats per token; 0 where nothing was scored.
    package var mean: Double { tokens == 0 ? 0 : nats / Double(tokens) }
}

extension AdaptedModel {
    /// Rows that pass through the head together.
    private static let headRows = 64

    /// How badly the model predicts the scored tokens from those before them.
    ///
    /// The head runs on scored rows only. The first token of all has nothing before it, so it is
    /// never counted.
    ///
    /// - Parameters:
    ///   - ids: the whole text, ids in `0 ..< vocabularySize` (others trap).
    ///   - scored: positions in `ids`, ascending and apart from each other.
    ///   - precision: exact by default, whatever the model's own: 8-bit activations move the loss
    ///     of a short reply by up to 2%, as much as a night's training may.
    /// - Returns: the sum of `-ln p(ids[i] | ids[..<i])` and the number of summands.
    package func loss(
        of ids: [Int32], scored: [Range<Int>], precision: Precision = .exact
    ) -> ScoredLoss {
        let losses = self.losses(of: ids, scored: scored, precision: precision)
        return ScoredLoss(
            nats: losses.reduce(0) { $0 + Double($1.nats) }, tokens: losses.count)
    }

    /// The same of each scored token by itself.
    ///
    /// - Returns: the scored positions that have a token before them, ascending, and each one's
    ///   `-ln p(ids[i] | ids[..<i])`.
    package func losses(
        of ids: [Int32], scored: [Range<Int>], precision: Precision = .exact
    ) -> [(position: Int, nats: Float)] {
        let targets = scored.flatMap { Array($0.clamped(to: 1..<max(1, ids.count))) }
        return with(precision: precision).losses(of: ids, targets: targets)
    }

    /// The losses of the tokens at `targets`, at this model's own precision.
    private func losses(of ids: [Int32], targets: [Int]) -> [(position: Int, nats: Float)] {
        guard let last = targets.last else { return [] }
        let cache = emptyLossCache()
        reserveHead(rows: Self.headRows)
        var losses: [Float] = []
        losses.reserveCapacity(targets.count)
        var next = 0
        ids.withUnsafeBufferPointer { ids in
            var start = 0
            while start < last {
                let end = min(last, start + Self.chunkSize)
                var stop = next
                // Row r predicts token r + 1.
                while stop < targets.count, targets[stop] <= end { stop += 1 }
                let first = stop > next ? targets[next] - 1 - start : end - start
                read(UnsafeBufferPointer(rebasing: ids[start..<end]), cache: cache, from: first)
                addLosses(
                    of: targets[next..<stop], ids: ids, chunkStart: start, to: &losses)
                next = stop
                start = end
            }
        }
        return zip(targets, losses).map { (position: $0, nats: $1) }
    }

    /// The cache of the last call where its format fits, else a new one without a limit.
    private func emptyLossCache() -> KVCache {
        if let known = memory.lossCache, known.format == cacheFormat {
            known.truncate(to: 0)
            return known
        }
        let cache = makeCache(capacity: .max / 2)
        memory.lossCache = cache
        return cache
    }

    /// Adds the losses of targets whose rows are in `scratch.x`.
    private func addLosses(
        of targets: ArraySlice<Int>, ids: UnsafeBufferPointer<Int32>, chunkStart: Int,
        to losses: inout [Float]
    ) {
        let width = configuration.hiddenSize
        let (scratch, headScratch) = (memory.scratch, memory.headScratch)
        var rest = targets
        while !rest.isEmpty {
            let group = rest.prefix(Self.headRows)
            rest = rest.dropFirst(group.count)
            for (row, target) in group.enumerated() {
                headScratch.targets[row] = ids[target]
                Kernels.rmsNorm(
                    x: scratch.x.pointer + (target - 1 - chunkStart) * width,
                    weight: weights.finalNorm.pointer, tokens: 1, width: width,
                    epsilon: configuration.rmsNormEpsilon,
                    y: headScratch.normed.pointer + row * width)
            }
            Kernels.matmul(
                headPrecision, x: headScratch.normed.pointer, tokens: group.count,
                weights: weights.headOnly, outputs: headScratch.outputs,
                workspace: memory.workspace)
            Kernels.crossEntropy(
                logits: headScratch.logits.pointer, targets: headScratch.targets.pointer,
                tokens: group.count, vocabulary: configuration.vocabularySize, rowScale: 1,
                losses: headScratch.losses.pointer, gradient: nil)
            for row in 0..<group.count { losses.append(headScratch.losses[row]) }
        }
    }
}
