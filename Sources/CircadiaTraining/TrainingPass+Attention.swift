import CircadiaKernels
import Foundation

/// Attention of a packed batch. Each token sees its own row up to itself, and the shared prefix
/// before it.
///
/// Those are two ranges of keys. The softmax over both is combined from one over each, by their
/// log-sums. In the backward pass the keys are independent once the log-sum over all of them is
/// known, so the gradients of the two ranges are added.
extension TrainingPass {
    /// Computes attention and the log-sum of each query.
    ///
    /// - Parameters:
    ///   - q: `[tokens, heads, headDim]`; keys and values are in `memory.cache`.
    ///   - out: `[tokens, heads, headDim]`.
    ///   - logSum: `[tokens, heads]`.
    func attention(
        q: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>,
        logSum: UnsafeMutablePointer<Float>
    ) {
        Kernels.attention(
            attentionShape, q: q, cache: memory.cache, firstKey: batch.firstKey.pointer, out: out,
            logSum: logSum, workspace: workspace)
        if batch.shared == 0 { return }
        let (sharedOut, sharedLogSum) = memory.sharedAttention
        Kernels.attention(
            attentionShape, q: q, cache: memory.cache, endKey: batch.sharedEnd.pointer,
            out: sharedOut, logSum: sharedLogSum, workspace: workspace)
        let width = shape.headDim
        for place in batch.shared * shape.heads..<tokens * shape.heads {
            let (own, other) = (logSum[place], sharedLogSum[place])
            let most = max(own, other)
            let (ownPart, otherPart) = (exp(own - most), exp(other - most))
            let sum = ownPart + otherPart
            let (ownShare, otherShare) = (ownPart / sum, otherPart / sum)
            let (y, x) = (out + place * width, sharedOut + place * width)
            for index in 0..<width { y[index] = ownShare * y[index] + otherShare * x[index] }
            logSum[place] = most + log(sum)
        }
    }

    /// Gradients of `attention`: from `dout` to `memory.qGradient`, `kGradient` and `vGradient`.
    func attentionBackward(_ activations: BlockActivations, dout: UnsafePointer<Float>) {
        func backward(
            firstKey: UnsafePointer<Int32>?, endKey: UnsafePointer<Int32>?,
            _ dq: UnsafeMutablePointer<Float>, _ dk: UnsafeMutablePointer<Float>,
            _ dv: UnsafeMutablePointer<Float>
        ) {
            Kernels.attentionBackward(
                attentionShape, q: activations.q.pointer, k: activations.k.pointer,
                v: activations.v.pointer, out: activations.attended.pointer,
                logSum: activations.logSum.pointer, dout: dout, firstKey: firstKey,
                endKey: endKey, dq: dq, dk: dk, dv: dv, workspace: workspace)
        }
        backward(
            firstKey: batch.firstKey.pointer, endKey: nil, memory.qGradient, memory.kGradient,
            memory.vGradient)
        if batch.shared == 0 { return }
        let (dq, dk, dv) = memory.sharedGradients
        backward(firstKey: nil, endKey: batch.sharedEnd.pointer, dq, dk, dv)
        Kernels.add(memory.qGradient, dq, count: tokens * shape.queryWidth)
        Kernels.add(memory.kGradient, dk, count: batch.shared * shape.keyWidth)
        Kernels.add(memory.vGradient, dv, count: batch.shared * shape.keyWidth)
    }
}
