import CircadiaFormats
import CircadiaKernels

/// Activations of one chunk of tokens, used again by every layer and every call.
final class ForwardScratch {
    /// Tokens that fit.
    let tokens: Int
    /// The residual stream: `[tokens, hidden]`.
    let x: FloatBuffer
    /// The residual stream after a norm: `[tokens, hidden]`.
    let normed: FloatBuffer
    /// `[tokens, heads, headDim]`.
    let q: FloatBuffer
    /// `[tokens, kvHeads, headDim]`.
    let k, v: FloatBuffer
    /// Attention's output: `[tokens, heads, headDim]`.
    let attended: FloatBuffer
    /// `[tokens, intermediate]`.
    let gate, up: FloatBuffer
    /// `[tokens]`.
    let positions: AlignedBuffer<Int32>
    /// `[tokens, rank]` of the adapter in use.
    private(set) var xa = FloatBuffer(count: 0)

    /// A projection's output before it is added to the stream, `[tokens, hidden]`; for DoRA.
    private var productBuffer = FloatBuffer(count: 0)
    /// `productBuffer`, as an argument list.
    private(set) var product: [UnsafeMutablePointer<Float>] = []

    /// Argument lists of the products, made once because making an array costs an allocation.
    let queryKeyValue, keyValue, residual, gateUp: [UnsafeMutablePointer<Float>]

    init(configuration: ModelConfiguration, tokens: Int) {
        self.tokens = tokens
        let queryWidth = configuration.headCount * configuration.headDim
        let keyWidth = configuration.kvHeadCount * configuration.headDim
        x = FloatBuffer(count: tokens * configuration.hiddenSize)
        normed = FloatBuffer(count: tokens * configuration.hiddenSize)
        q = FloatBuffer(count: tokens * queryWidth)
        k = FloatBuffer(count: tokens * keyWidth)
        v = FloatBuffer(count: tokens * keyWidth)
        attended = FloatBuffer(count: tokens * queryWidth)
        gate = FloatBuffer(count: tokens * configuration.intermediateSize)
        up = FloatBuffer(count: tokens * configuration.intermediateSize)
        positions = AlignedBuffer(count: tokens)
        queryKeyValue = [q.pointer, k.pointer, v.pointer]
        keyValue = [k.pointer, v.pointer]
        residual = [x.pointer]
        gateUp = [gate.pointer, up.pointer]
    }

    /// Makes room for an adapter's inner activations and, for DoRA, for products that are not
    /// added to the stream directly.
    func reserve(rank: Int, isDoRA: Bool) {
        if xa.count < tokens * rank { xa = FloatBuffer(count: tokens * rank) }
        if isDoRA, productBuffer.count < x.count {
            productBuffer = FloatBuffer(count: x.count)
            product = [productBuffer.pointer]
        }
    }
}
