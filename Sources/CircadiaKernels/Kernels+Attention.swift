import CKernels

/// Keys or values of one layer: `[kvHeads, capacity, headDim]` in f32 or f16.
public final class AttentionCache: @unchecked Sendable {
    /// The dtype of the stored numbers.
    public let format: FloatFormat
    /// Bytes held.
    public let byteCount: Int
    private let buffer: AlignedBuffer<UInt8>
    let ck: ck_cache_t

    /// The bytes of such a cache.
    public static func byteCount(
        kvHeads: Int, capacity: Int, headDim: Int, format: FloatFormat
    ) -> Int {
        kvHeads * capacity * headDim * format.byteCount
    }

    /// An empty cache; `format` is `.f32` or `.f16`.
    public convenience init(kvHeads: Int, capacity: Int, headDim: Int, format: FloatFormat) {
        let byteCount = Self.byteCount(
            kvHeads: kvHeads, capacity: capacity, headDim: headDim, format: format)
        self.init(
            kvHeads: kvHeads, capacity: capacity, headDim: headDim, format: format,
            in: AlignedBuffer(count: byteCount), at: 0)
    }

    /// An empty cache in a part of `buffer`, zeroed, from byte `offset` (a multiple of 64) on.
    public init(
        kvHeads: Int, capacity: Int, headDim: Int, format: FloatFormat,
        in buffer: AlignedBuffer<UInt8>, at offset: Int
    ) {
        precondition(format != .bf16, "a cache is f32 or f16")
        byteCount = Self.byteCount(
            kvHeads: kvHeads, capacity: capacity, headDim: headDim, format: format)
        precondition(offset.isMultiple(of: 64) && offset + byteCount <= buffer.count)
        self.format = format
        self.buffer = buffer
        ck = ck_cache_t(data: buffer.pointer + offset, dtype: format.ck)
    }

    /// The stored bytes, for moving rows when a context is cut.
    public var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: ck.data, count: byteCount)
    }
}

/// The dimensions of one attention call; see `ck_attention_shape_t`.
public struct AttentionShape: Sendable {
    /// New queries in this call.
    public var tokens: Int
    /// Cache rows before them.
    public var past: Int
    /// Query heads.
    public var heads: Int
    /// Key and value heads; divides `heads`.
    public var kvHeads: Int
    /// Numbers per head.
    public var headDim: Int
    /// Rows of a cache per KV head.
    public var capacity: Int
    /// Multiplies every `q·k`.
    public var scale: Float

    /// A shape with Llama's scale, `1/√headDim`.
    public init(
        tokens: Int, past: Int, heads: Int, kvHeads: Int, headDim: Int, capacity: Int
    ) {
        self.tokens = tokens
        self.past = past
        self.heads = heads
        self.kvHeads = kvHeads
        self.headDim = headDim
        self.capacity = capacity
        scale = 1 / Float(headDim).squareRoot()
    }

    func ck(
        _ firstKey: UnsafePointer<Int32>?, _ endKey: UnsafePointer<Int32>?
    ) -> ck_attention_shape_t {
        ck_attention_shape_t(
            tokens: Int32(tokens), past: Int32(past), heads: Int32(heads), kv_heads: Int32(kvHeads),
            head_dim: Int32(headDim), capacity: Int32(capacity), scale: scale, first_key: firstKey,
            end_key: endKey)
    }
}

extension Kernels {
    /// Writes `x` `[tokens, kvHeads, headDim]` to rows `past ..< past + tokens` of a cache.
    public static func append(
        _ x: UnsafePointer<Float>, to cache: AttentionCache, shape: AttentionShape
    ) {
        var ck = shape.ck(nil, nil)
        check(ck_cache_append(cache.ck, &ck, x))
    }

    /// Softmax attention of `tokens` queries over the caches, blockwise.
    ///
    /// Operands:
    /// - `q`: `[tokens, heads, headDim]`.
    /// - `firstKey`: nil (0), or `[tokens]`: the first key that each query sees.
    /// - `endKey`: nil (causal), or `[tokens]`: one past the last key that each query sees.
    /// - `out`: `[tokens, heads, headDim]`.
    /// - `logSum`: nil, or `[tokens, heads]`, receives the softmax's log-sum for the backward pass.
    public static func attention(
        _ shape: AttentionShape, q: UnsafePointer<Float>, keys: AttentionCache,
        values: AttentionCache, firstKey: UnsafePointer<Int32>? = nil,
        endKey: UnsafePointer<Int32>? = nil, out: UnsafeMutablePointer<Float>,
        logSum: UnsafeMutablePointer<Float>? = nil, workspace: Workspace
    ) {
        var ck = shape.ck(firstKey, endKey)
        let byteCount = ck_attention_workspace(&ck)
        check(
            ck_attention(
                &ck, q, keys.ck, values.ck, out, logSum, workspace.bytes(byteCount), byteCount))
    }

    /// Gradients of `attention` with `past` 0 over token-major `k`, `v` `[tokens, kvHeads, headDim]`.
    ///
    /// `dq`, `dk`, `dv` have the shapes of `q`, `k`, `v` and are overwritten.
    public static func attentionBackward(
        _ shape: AttentionShape, q: UnsafePointer<Float>, k: UnsafePointer<Float>,
        v: UnsafePointer<Float>, out: UnsafePointer<Float>, logSum: UnsafePointer<Float>,
        dout: UnsafePointer<Float>, firstKey: UnsafePointer<Int32>? = nil,
        endKey: UnsafePointer<Int32>? = nil, dq: UnsafeMutablePointer<Float>,
        dk: UnsafeMutablePointer<Float>, dv: UnsafeMutablePointer<Float>, workspace: Workspace
    ) {
        var ck = shape.ck(firstKey, endKey)
        let byteCount = ck_attention_backward_workspace(&ck)
        check(
            ck_attention_backward(
                &ck, q, k, v, out, logSum, dout, dq, dk, dv, workspace.bytes(byteCount), byteCount))
    }
}
