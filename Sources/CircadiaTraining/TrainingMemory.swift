import CircadiaFormats
import CircadiaKernels

/// All activations of a training pass, allocated for one number of tokens and reused by every step.
final class TrainingMemory {
    let shape: BlockShape
    /// The largest number of tokens of a micro-batch.
    let tokens: Int
    /// The number of blocks below the first adapted one.
    let frozenBlocks: Int

    /// The input of each adapted block and, last, the output of the last block: `[tokens, hidden]`
    /// each.
    let streams: [FloatBuffer]
    /// `x·a` of each adapted block's `down`: `[tokens, rank]`.
    let innerDown: [FloatBuffer]
    /// The activations of each adapted block; nil if they are computed again, in `shared`.
    let kept: [BlockActivations?]
    /// Activations of the block that is being computed.
    let shared: BlockActivations

    /// A normalised stream: `[tokens, hidden]`.
    let normed: FloatBuffer
    /// `[tokens]`: 1/rms of the present norm.
    let rstd: FloatBuffer
    /// `silu(gate)·up`: `[tokens, intermediate]`. The backward pass reuses this memory for
    /// attention's gradients over the shared prefix.
    let activated: FloatBuffer
    /// Gradients inside a block. The MLP's are no longer needed when attention's begin.
    private let inside: FloatBuffer
    /// The gradient of `activated`: `[tokens, intermediate]`; shares memory with the next four.
    let activatedGradient: UnsafeMutablePointer<Float>
    /// The gradients of `q` and of attention's output: `[tokens, heads, headDim]`.
    let qGradient, attendedGradient: UnsafeMutablePointer<Float>
    /// The gradients of `k` and `v`: `[tokens, kvHeads, headDim]`.
    let kGradient, vGradient: UnsafeMutablePointer<Float>
    /// Gradient of the residual stream: `[tokens, hidden]`.
    let gradient: FloatBuffer
    /// Gradient of a normed stream: `[tokens, hidden]`.
    let normedGradient: FloatBuffer
    /// Keys and values in the layout that the forward kernel reads.
    let cache: AttentionCache
    /// Memory of the head and the loss.
    let head: HeadMemory
    /// DoRA: a projection's output before its gains, `[tokens, widest projection]`, in the forward
    /// and the backward pass.
    let product: FloatBuffer
    /// `product`, as an argument list.
    let products: [UnsafeMutablePointer<Float>]
    private var dropout: (inputs: FloatBuffer, gradient: FloatBuffer)?

    init(
        configuration: ModelConfiguration, tokens: Int, adaptedBlocks: Range<Int>, rank: Int,
        activationByteLimit: Int, isDoRA: Bool = false
    ) {
        let shape = BlockShape(configuration)
        self.shape = shape
        self.tokens = tokens
        frozenBlocks = adaptedBlocks.lowerBound
        let count = adaptedBlocks.count
        streams = (0...count).map { _ in FloatBuffer(count: tokens * shape.hidden) }
        innerDown = (0..<count).map { _ in FloatBuffer(count: tokens * rank) }
        // The last blocks are kept. Any choice costs the same.
        let fitting = BlockActivations.keptBlocks(
            of: count, shape: shape, tokens: tokens, rank: rank, byteLimit: activationByteLimit)
        kept = (0..<count).map {
            $0 < count - fitting
                ? nil : BlockActivations(shape: shape, tokens: tokens, rank: rank)
        }
        shared = BlockActivations(shape: shape, tokens: tokens, rank: rank)
        normed = FloatBuffer(count: tokens * shape.hidden)
        rstd = FloatBuffer(count: tokens)
        activated = FloatBuffer(count: Self.activatedCount(shape, tokens: tokens))
        inside = FloatBuffer(count: Self.insideCount(shape, tokens: tokens))
        activatedGradient = inside.pointer
        qGradient = inside.pointer
        attendedGradient = qGradient + Self.aligned(tokens * shape.queryWidth)
        kGradient = attendedGradient + Self.aligned(tokens * shape.queryWidth)
        vGradient = kGradient + Self.aligned(tokens * shape.keyWidth)
        gradient = FloatBuffer(count: tokens * shape.hidden)
        normedGradient = FloatBuffer(count: tokens * shape.hidden)
        cache = AttentionCache(
            kvHeads: shape.kvHeads, capacity: tokens, headDim: shape.headDim, format: .f32)
        head = HeadMemory(configuration: configuration)
        product = FloatBuffer(count: isDoRA ? tokens * shape.widest : 0)
        products = [product.pointer]
    }

    /// Number of f32 elements that the gradients inside a block need.
    static func insideCount(_ shape: BlockShape, tokens: Int) -> Int {
        max(
            tokens * shape.intermediate,
            2 * aligned(tokens * shape.queryWidth) + 2 * aligned(tokens * shape.keyWidth))
    }

    /// Number of f32 elements of `activated`.
    static func activatedCount(_ shape: BlockShape, tokens: Int) -> Int {
        max(
            tokens * shape.intermediate,
            aligned(tokens * shape.queryWidth) + 2 * aligned(tokens * shape.keyWidth))
    }

    /// Attention over the shared prefix: output `[tokens, heads, headDim]` and log-sums `[tokens,
    /// heads]`. It uses the memory of gradients, which a forward pass does not need.
    var sharedAttention: (out: UnsafeMutablePointer<Float>, logSum: UnsafeMutablePointer<Float>) {
        (inside.pointer, inside.pointer + Self.aligned(tokens * shape.queryWidth))
    }

    /// Gradients of queries, keys and values over the shared prefix, in the memory of `activated`.
    var sharedGradients:
        (
            q: UnsafeMutablePointer<Float>, k: UnsafeMutablePointer<Float>,
            v: UnsafeMutablePointer<Float>
        )
    {
        let k = activated.pointer + Self.aligned(tokens * shape.queryWidth)
        return (activated.pointer, k, k + Self.aligned(tokens * shape.keyWidth))
    }

    /// `count` rounded up so that the next buffer begins at a cache line.
    private static func aligned(_ count: Int) -> Int { (count + 15) / 16 * 16 }

    /// Memory for dropout, allocated on first use: an adapter's input and its gradient, `[tokens,
    /// width]` of the widest projection each.
    func reserveDropout() -> (inputs: FloatBuffer, gradient: FloatBuffer) {
        if let dropout { return dropout }
        let count = tokens * shape.widest
        let made = (inputs: FloatBuffer(count: count), gradient: FloatBuffer(count: count))
        dropout = made
        return made
    }

    /// Number of blocks that are computed again in the backward pass.
    var recomputedBlocks: Int { kept.count { $0 == nil } }

    /// Bytes in use.
    var byteCount: Int {
        let buffers =
            streams + innerDown + [
                normed, rstd, activated, inside, gradient, normedGradient, product,
            ]
        return buffers.reduce(0) { $0 + $1.byteCount }
            + kept.reduce(shared.byteCount) { $0 + ($1?.byteCount ?? 0) }
            + cache.byteCount + head.byteCount
            + (dropout.map { $0.inputs.byteCount + $0.gradient.byteCount } ?? 0)
    }
}

/// Memory of the output head for one chunk of scored tokens. The logits of all tokens never exist
/// together.
final class HeadMemory {
    /// The number of scored tokens in a chunk.
    let rows: Int
    /// `[rows, hidden]`: the stream, the normalised stream and the gradients of both.
    let stream, normed, normedGradient, streamGradient: FloatBuffer
    /// `[rows]`.
    let rstd, losses: FloatBuffer
    /// `[rows]`.
    let targets: AlignedBuffer<Int32>
    /// `[rows, vocabulary]`: the logits, replaced by their gradient.
    let logits: FloatBuffer
    /// Argument list of the product, built once.
    let outputs: [UnsafeMutablePointer<Float>]
    /// The input of the base model's head and its logits, allocated when a row is anchored.
    private var base: (inputs: FloatBuffer, logits: FloatBuffer)?

    /// The approximate size of a chunk's logits.
    private static let logitBytes = 32 << 20

    init(configuration: ModelConfiguration) {
        let width = configuration.hiddenSize
        rows = Self.rows(configuration)
        stream = FloatBuffer(count: rows * width)
        normed = FloatBuffer(count: rows * width)
        normedGradient = FloatBuffer(count: rows * width)
        streamGradient = FloatBuffer(count: rows * width)
        rstd = FloatBuffer(count: rows)
        losses = FloatBuffer(count: rows)
        targets = AlignedBuffer(count: rows)
        logits = FloatBuffer(count: rows * configuration.vocabularySize)
        outputs = [logits.pointer]
    }

    /// The number of scored tokens in a chunk for a model.
    static func rows(_ configuration: ModelConfiguration) -> Int {
        let fitting = logitBytes / (4 * max(1, configuration.vocabularySize))
        return max(16, min(256, fitting / 16 * 16))
    }

    /// Memory for the base model's part of the KL divergence.
    func reserveBase() -> (inputs: FloatBuffer, logits: FloatBuffer) {
        if let base { return base }
        let made = (
            inputs: FloatBuffer(count: normed.count), logits: FloatBuffer(count: logits.count)
        )
        base = made
        return made
    }

    var byteCount: Int {
        let always = [stream, normed, normedGradient, streamGradient, rstd, losses, logits]
        let buffers = always + (base.map { [$0.inputs, $0.logits] } ?? [])
        return buffers.reduce(targets.byteCount) { $0 + $1.byteCount }
    }
}
