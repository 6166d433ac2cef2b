import CircadiaKernels

extension TrainingPass {
    /// Computes the output head and the loss of scored tokens, chunk by chunk.
    ///
    /// Tokens anchored to the base model have the gradient of the KL divergence Σ p ln(p/q) over
    /// the vocabulary, from the base model's p to the adapted q. At the logits it is `q − p`: the
    /// difference of two cross-entropies' gradients with the same target (Hinton et al. 2015,
    /// temperature 1).
    ///
    /// - Parameters:
    ///   - stream: the last block's output, `[tokens, hidden]`.
    ///   - rowScale: the factor on the gradient of tokens with a cross-entropy loss, besides their
    ///     rows' weights.
    ///   - anchorScale: the same factor for anchored tokens.
    ///   - gradient: nil, or the stream's gradient `[tokens, hidden]`, zero before. The rows of
    ///     scored tokens are written.
    /// - Returns: the sum of losses in nats. With a gradient, each loss is multiplied by its row's
    ///   weight.
    func headLoss(
        stream: UnsafePointer<Float>, rowScale: Float, anchorScale: Float,
        gradient: UnsafeMutablePointer<Float>?
    ) -> Double {
        let head = memory.head
        let width = shape.hidden
        var sum = 0.0
        var start = 0
        var stretch = 0
        while start < batch.targets.count {
            if start == batch.stretches[stretch].end { stretch += 1 }
            let learns = start < batch.learningCount
            let weight = gradient == nil ? 1 : batch.stretches[stretch].weight
            let scale =
                (learns ? rowScale : anchorScale) * weight * batch.stretches[stretch].pull
            let end = min(batch.stretches[stretch].end, start + head.rows)
            let rows = end - start
            for row in 0..<rows {
                let token = batch.scoredTokens[start + row]
                (head.stream.pointer + row * width).update(
                    from: stream + token * width, count: width)
                head.targets[row] = batch.targets[start + row]
            }
            Kernels.rmsNorm(
                x: head.stream.pointer, weight: model.finalNorm.pointer, tokens: rows,
                width: width, epsilon: shape.epsilon, y: head.normed.pointer,
                rstd: head.rstd.pointer)
            Kernels.matmul(
                precision.head, x: head.normed.pointer, tokens: rows, weights: [model.head],
                outputs: head.outputs, workspace: workspace)
            Kernels.crossEntropy(
                logits: head.logits.pointer, targets: head.targets.pointer, tokens: rows,
                vocabulary: model.configuration.vocabularySize,
                rowScale: scale, losses: head.losses.pointer,
                gradient: gradient == nil ? nil : head.logits.pointer)
            for row in 0..<rows { sum += Double(weight) * Double(head.losses[row]) }
            if gradient != nil, !learns {
                subtractBase(rows: rows, first: start - batch.learningCount, scale: scale)
            }
            if let gradient { backwardHead(rows: rows, start: start, gradient: gradient) }
            start = end
        }
        return sum
    }

    /// Subtracts the base model's part from the logits' gradient of `rows` anchored tokens.
    private func subtractBase(rows: Int, first: Int, scale: Float) {
        let head = memory.head
        let width = shape.hidden
        let vocabulary = model.configuration.vocabularySize
        let base = head.reserveBase()
        var skip = first
        var filled = 0
        for anchor in batch.anchors {
            let count = anchor.count / width
            let take = min(count - skip, rows - filled)
            if take > 0 {
                (base.inputs.pointer + filled * width).update(
                    from: anchor.pointer + skip * width, count: take * width)
                filled += take
            }
            skip = max(0, skip - count)
            if filled == rows { break }
        }
        Kernels.matmul(
            precision.head, x: base.inputs.pointer, tokens: rows, weights: [model.head],
            outputs: [base.logits.pointer], workspace: workspace)
        Kernels.crossEntropy(
            logits: base.logits.pointer, targets: head.targets.pointer, tokens: rows,
            vocabulary: vocabulary, rowScale: -scale, losses: head.losses.pointer,
            gradient: base.logits.pointer)
        Kernels.add(head.logits.pointer, base.logits.pointer, count: rows * vocabulary)
    }

    private func backwardHead(rows: Int, start: Int, gradient: UnsafeMutablePointer<Float>) {
        let head = memory.head
        let width = shape.hidden
        Kernels.matmulTransposed(
            precision.head, dy: head.logits.pointer, tokens: rows, weight: model.head,
            dx: head.normedGradient.pointer, workspace: workspace)
        head.streamGradient.pointer.update(repeating: 0, count: rows * width)
        Kernels.rmsNormBackward(
            x: head.stream.pointer, weight: model.finalNorm.pointer, rstd: head.rstd.pointer,
            dy: head.normedGradient.pointer, tokens: rows, width: width,
            dx: head.streamGradient.pointer)
        for row in 0..<rows {
            (gradient + batch.scoredTokens[start + row] * width).update(
                from: head.streamGradient.pointer + row * width, count: width)
        }
    }
}
