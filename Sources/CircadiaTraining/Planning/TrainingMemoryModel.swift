import CircadiaFormats
import CircadiaKernels

/// Computes how many bytes training needs besides the model, from the sizes of all buffers, without
/// allocating them.
struct TrainingMemoryModel {
    let configuration: ModelConfiguration
    let options: TrainingOptions
    /// Number of blocks with an adapter.
    let adaptedBlocks: Int
    let rank: Int
    /// Number of the adapter's parameters.
    let parameters: Int
    /// Number of DoRA magnitudes among them; 0 for LoRA.
    let magnitudes: Int
    /// Whether any row is anchored to the base model, whose logits then need memory too.
    let hasAnchors: Bool

    private var shape: BlockShape { BlockShape(configuration) }

    /// Bytes of the adapter, gradients, Adam's moments and the copies of the last good values.
    var optimizerBytes: Int {
        let copies = 1 + 6 + (options.keepsBest ? 1 : 0)
        // Norm and gain of each magnitude, and the squared norm of its frozen row in Double.
        let besideMagnitudes = 2 * MemoryLayout<Float>.stride + MemoryLayout<Double>.stride
        let adapters = 1 + (options.keepsBest ? 1 : 0)
        return copies * parameters * MemoryLayout<Float>.stride
            + adapters * magnitudes * besideMagnitudes
    }

    /// Bytes of one block's activations that are kept for the backward pass.
    func keptBlockBytes(tokens: Int) -> Int {
        BlockActivations.byteCount(shape: shape, tokens: tokens, rank: rank)
    }

    /// Bytes of a micro-batch of `tokens`, without kept blocks.
    func passBytes(tokens: Int) -> Int {
        let shape = shape
        var perToken = (adaptedBlocks + 1) * shape.hidden + adaptedBlocks * rank
        // normed, gradient and normedGradient; rstd.
        perToken += 3 * shape.hidden + 1
        if options.dropout > 0 { perToken += 2 * shape.widest }
        if magnitudes > 0 { perToken += shape.widest }
        // Keys and values as the forward kernel reads them.
        let cacheBytes = AttentionCache.byteCount(
            kvHeads: shape.kvHeads, capacity: tokens, headDim: shape.headDim, format: .f32)
        let count =
            tokens * perToken + TrainingMemory.activatedCount(shape, tokens: tokens)
            + TrainingMemory.insideCount(shape, tokens: tokens)
        return count * MemoryLayout<Float>.stride + cacheBytes
            + keptBlockBytes(tokens: tokens) + headBytes + workspaceBytes(tokens: tokens)
    }

    /// All bytes, with as many kept blocks as the limit allows.
    func byteCount(tokens: Int, activationByteLimit: Int) -> Int {
        let kept = keptBlocks(tokens: tokens, activationByteLimit: activationByteLimit)
        return optimizerBytes + passBytes(tokens: tokens) + kept * keptBlockBytes(tokens: tokens)
    }

    /// Number of adapted blocks whose activations are kept.
    func keptBlocks(tokens: Int, activationByteLimit: Int) -> Int {
        BlockActivations.keptBlocks(
            of: adaptedBlocks, shape: shape, tokens: tokens, rank: rank,
            byteLimit: activationByteLimit)
    }

    private var headBytes: Int {
        let rows = HeadMemory.rows(configuration)
        let logits = rows * configuration.vocabularySize
        var count = rows * (4 * configuration.hiddenSize + 3) + logits
        if hasAnchors { count += rows * configuration.hiddenSize + logits }
        return count * MemoryLayout<Float>.stride
    }

    private func workspaceBytes(tokens: Int) -> Int {
        let shape = shape
        let head = HeadMemory.rows(configuration)
        let precision = ProductPrecisions(options.precision)
        return Kernels.trainingWorkspaceByteCount(
            (precision.forward, precision.backward),
            matrices: [
                (tokens, shape.queryWidth, shape.hidden), (tokens, shape.keyWidth, shape.hidden),
                (tokens, shape.hidden, shape.queryWidth),
                (tokens, shape.intermediate, shape.hidden),
                (tokens, shape.hidden, shape.intermediate),
                (head, configuration.vocabularySize, shape.hidden),
            ],
            attention: AttentionShape(
                tokens: tokens, past: 0, heads: shape.heads, kvHeads: shape.kvHeads,
                headDim: shape.headDim, capacity: tokens), rank: rank)
    }
}
