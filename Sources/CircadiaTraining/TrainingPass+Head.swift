import CircadiaKernels

extension TrainingPass {
    /// The output head and the cross-entropy of scored tokens, some at a time.
    ///
    /// - Parameters:
    ///   - stream: the last block's output, `[tokens, hidden]`.
    ///   - rowScale: multiplies the gradient.
    ///   - gradient: nil, or the stream's gradient `[tokens, hidden]`, zero before; rows of scored
    ///     tokens are written.
    /// - Returns: the sum of losses in nats.
    func headLoss(
        stream: UnsafePointer<Float>, rowScale: Float, gradient: UnsafeMutablePointer<Float>?
    ) -> Double {
        let head = memory.head
        let width = shape.hidden
        var sum = 0.0
        var start = 0
        while start < batch.targets.count {
            let end = min(batch.targets.count, start + head.rows)
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
                precision, x: head.normed.pointer, tokens: rows, weights: [model.head],
                outputs: head.outputs, workspace: workspace)
            Kernels.crossEntropy(
                logits: head.logits.pointer, targets: head.targets.pointer, tokens: rows,
                vocabulary: model.configuration.vocabularySize, rowScale: rowScale,
                losses: head.losses.pointer, gradient: gradient == nil ? nil : head.logits.pointer)
            for row in 0..<rows { sum += Double(head.losses[row]) }
            if let gradient { backwardHead(rows: rows, start: start, gradient: gradient) }
            start = end
        }
        return sum
    }

    private func backwardHead(rows: Int, start: Int, gradient: UnsafeMutablePointer<Float>) {
        let head = memory.head
        let width = shape.hidden
        Kernels.matmulTransposed(
            precision, dy: head.logits.pointer, tokens: rows, weight: model.head,
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
