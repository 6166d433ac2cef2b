import CircadiaFormats
import CircadiaKernels

/// The dimensions of a block as plain numbers.
struct BlockShape {
    let hidden, intermediate, heads, kvHeads, headDim: Int
    let epsilon: Float

    init(_ configuration: ModelConfiguration) {
        hidden = configuration.hiddenSize
        intermediate = configuration.intermediateSize
        heads = configuration.headCount
        kvHeads = configuration.kvHeadCount
        headDim = configuration.headDim
        epsilon = configuration.rmsNormEpsilon
    }

    var queryWidth: Int { heads * headDim }
    var keyWidth: Int { kvHeads * headDim }
    /// Columns of the widest projection, which is also its largest number of rows: keys are never
    /// wider than queries.
    var widest: Int { max(hidden, intermediate, queryWidth) }
}

/// The activations of one block that the backward pass needs besides the block's input. Norms and
/// SwiGLU cost no matrix product, so they are computed again.
final class BlockActivations {
    /// `[tokens, heads, headDim]`, rotated by their positions.
    let q: FloatBuffer
    /// `[tokens, kvHeads, headDim]`; keys are rotated.
    let k, v: FloatBuffer
    /// `[tokens, heads, headDim]`.
    let attended: FloatBuffer
    /// `[tokens, heads]`.
    let logSum: FloatBuffer
    /// The residual stream between attention and MLP: `[tokens, hidden]`.
    let middle: FloatBuffer
    /// `[tokens, intermediate]`.
    let gate, up: FloatBuffer
    /// `x·a` of each projection except `down`, in order: `[tokens, rank]` each.
    let inner: FloatBuffer

    /// Argument lists of the fused products, built once.
    let queryKeyValue, gateUp: [UnsafeMutablePointer<Float>]

    init(shape: BlockShape, tokens: Int, rank: Int) {
        q = FloatBuffer(count: tokens * shape.queryWidth)
        k = FloatBuffer(count: tokens * shape.keyWidth)
        v = FloatBuffer(count: tokens * shape.keyWidth)
        attended = FloatBuffer(count: tokens * shape.queryWidth)
        logSum = FloatBuffer(count: tokens * shape.heads)
        middle = FloatBuffer(count: tokens * shape.hidden)
        gate = FloatBuffer(count: tokens * shape.intermediate)
        up = FloatBuffer(count: tokens * shape.intermediate)
        inner = FloatBuffer(count: 6 * tokens * rank)
        queryKeyValue = [q.pointer, k.pointer, v.pointer]
        gateUp = [gate.pointer, up.pointer]
    }

    static func byteCount(shape: BlockShape, tokens: Int, rank: Int) -> Int {
        let perToken =
            2 * shape.queryWidth + 2 * shape.keyWidth + shape.heads + shape.hidden
            + 2 * shape.intermediate + 6 * rank
        return tokens * perToken * MemoryLayout<Float>.stride
    }

    /// How many of `count` adapted blocks can keep their activations within `byteLimit`. The others
    /// are computed again. If fewer than a quarter fit, none is kept: they would save too little
    /// time for their memory.
    static func keptBlocks(
        of count: Int, shape: BlockShape, tokens: Int, rank: Int, byteLimit: Int
    ) -> Int {
        let perBlock = byteCount(shape: shape, tokens: tokens, rank: rank)
        let fitting = min(count, byteLimit / max(1, perBlock))
        return 4 * fitting >= count ? fitting : 0
    }

    var byteCount: Int {
        [q, k, v, attended, logSum, middle, gate, up, inner].reduce(0) { $0 + $1.byteCount }
    }
}
