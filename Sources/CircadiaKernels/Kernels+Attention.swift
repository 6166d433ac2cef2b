import CKernels

/// The number format of a cache; see `ck_cache_format_t`.
package enum CacheFormat: Sendable, Equatable, CaseIterable {
    /// IEEE binary32.
    case f32
    /// 16-bit integers times steps: one step for a value, one for every 16 elements of a key.
    case int16
    /// 8-bit integers times the same kind of steps.
    case int8

    var ck: ck_cache_format_t {
        switch self {
        case .f32: CK_CACHE_F32
        case .int16: CK_CACHE_INT16
        case .int8: CK_CACHE_INT8
        }
    }
}

/// The keys and values of one block, for all its KV heads; see `ck_cache_t` for the layout.
///
/// It serves one call at a time: kernels write to it without synchronisation.
package final class AttentionCache {
    /// The number format.
    package let format: CacheFormat
    /// The size in bytes.
    package let byteCount: Int
    private let kvHeads, rows, headDim: Int
    private let buffer: AlignedBuffer<UInt8>
    let ck: ck_cache_t

    /// The size in bytes of a cache for `capacity` tokens.
    package static func byteCount(
        kvHeads: Int, capacity: Int, headDim: Int, format: CacheFormat
    ) -> Int {
        Parts(kvHeads: kvHeads, capacity: capacity, headDim: headDim, format: format).byteCount
    }

    /// Creates an empty cache.
    package convenience init(kvHeads: Int, capacity: Int, headDim: Int, format: CacheFormat) {
        let byteCount = Self.byteCount(
            kvHeads: kvHeads, capacity: capacity, headDim: headDim, format: format)
        self.init(
            kvHeads: kvHeads, capacity: capacity, headDim: headDim, format: format,
            in: AlignedBuffer(count: byteCount), at: 0)
    }

    /// Creates an empty cache in a part of `buffer` that is zeroed and begins at byte `offset`, a
    /// multiple of 64.
    package init(
        kvHeads: Int, capacity: Int, headDim: Int, format: CacheFormat,
        in buffer: AlignedBuffer<UInt8>, at offset: Int
    ) {
        let parts = Parts(kvHeads: kvHeads, capacity: capacity, headDim: headDim, format: format)
        precondition(offset.isMultiple(of: 64) && offset + parts.byteCount <= buffer.count)
        self.format = format
        self.buffer = buffer
        self.kvHeads = kvHeads
        self.headDim = headDim
        rows = Int(ck_cache_rows(Int64(capacity)))
        byteCount = parts.byteCount
        let start = UnsafeMutableRawPointer(buffer.pointer + offset)
        let steps = (start + 2 * parts.numbers).assumingMemoryBound(to: Float.self)
        ck = ck_cache_t(
            keys: start, values: start + parts.numbers,
            key_steps: format == .f32 ? nil : steps,
            value_steps: format == .f32 ? nil : steps + parts.keySteps / 4, format: format.ck)
    }

    /// The bytes of keys, or of values, and of their steps, each rounded up to whole cache lines.
    private struct Parts {
        let numbers, keySteps, valueSteps: Int
        var byteCount: Int { 2 * numbers + keySteps + valueSteps }

        init(kvHeads: Int, capacity: Int, headDim: Int, format: CacheFormat) {
            let bytes = ck_cache_bytes(format.ck, Int64(kvHeads), Int64(capacity), Int64(headDim))
            numbers = (Int(bytes) + 63) / 64 * 64
            let rows = Int(ck_cache_rows(Int64(capacity)))
            let steps = format == .f32 ? 0 : kvHeads * rows * 4
            keySteps = steps * AttentionCache.keyGroups(headDim)
            valueSteps = steps
        }
    }

    /// The stored keys and values, without steps.
    package var numbers: [UnsafeMutableRawBufferPointer] {
        let count = Int(ck_cache_bytes(ck.format, Int64(kvHeads), Int64(rows), Int64(headDim)))
        return [ck.keys, ck.values].map { UnsafeMutableRawBufferPointer(start: $0, count: count) }
    }

    /// The steps of keys and of values; empty if the format has none.
    package var steps: [UnsafeMutableBufferPointer<Float>] {
        guard format != .f32 else { return [] }
        return zip([ck.key_steps, ck.value_steps], stepsPerRow).map {
            UnsafeMutableBufferPointer(start: $0, count: kvHeads * rows * $1)
        }
    }

    /// Number of steps of a key and of a value.
    private var stepsPerRow: [Int] { [Self.keyGroups(headDim), 1] }

    private static func keyGroups(_ headDim: Int) -> Int { (headDim + 15) / 16 }

    /// Copies the first `count` tokens of a cache of the same shape and format; its capacity may
    /// differ.
    package func copy(first count: Int, of other: AttentionCache) {
        precondition(
            format == other.format && kvHeads == other.kvHeads && headDim == other.headDim
                && count <= min(rows, other.rows), "caches differ in shape")
        // Heads lie one after the other. Each begins with its first token and consists of blocks of
        // 16.
        let whole = Int(ck_cache_rows(Int64(count)))
        let rowBytes = Int(ck_cache_bytes(ck.format, 1, 16, Int64(headDim))) / 16
        let parts = zip(numbers, other.numbers).map { ($0, $1, rowBytes) }
        let steps = zip(zip(steps, other.steps), stepsPerRow).map {
            (UnsafeMutableRawBufferPointer($0.0), UnsafeMutableRawBufferPointer($0.1), 4 * $1)
        }
        for (to, from, bytes) in parts + steps {
            for head in 0..<kvHeads {
                to[(head * rows * bytes)...].prefix(whole * bytes).copyBytes(
                    from: from[(head * other.rows * bytes)...].prefix(whole * bytes))
            }
        }
    }
}

/// The dimensions of one attention call; see `ck_attention_shape_t`.
package struct AttentionShape: Sendable {
    /// Number of new queries in this call.
    package var tokens: Int
    /// Number of cache rows before them.
    package var past: Int
    /// Query heads.
    package var heads: Int
    /// Key and value heads; divides `heads`.
    package var kvHeads: Int
    /// Elements per head.
    package var headDim: Int
    /// The cache's capacity in tokens.
    package var capacity: Int
    /// Multiplies every `q·k`.
    package var scale: Float

    /// A shape with Llama's scale, `1/√headDim`.
    package init(
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
    /// Writes `keys` and `values`, `[tokens, kvHeads, headDim]` each, to rows `past ..< past +
    /// tokens` of a cache.
    package static func append(
        keys: UnsafePointer<Float>, values: UnsafePointer<Float>, to cache: AttentionCache,
        shape: AttentionShape
    ) {
        var ck = shape.ck(nil, nil)
        check(ck_cache_append(cache.ck, &ck, keys, values))
    }

    /// Softmax attention of `tokens` queries over a cache, blockwise.
    ///
    /// Operands:
    /// - `q`: `[tokens, heads, headDim]`.
    /// - `firstKey`: nil for 0, or `[tokens]`: the first key that each query sees.
    /// - `endKey`: nil for causal attention, or `[tokens]`: one past the last key that each query
    ///   sees.
    /// - `out`: `[tokens, heads, headDim]`.
    /// - `logSum`: nil, or `[tokens, heads]`; receives the softmax's log-sum for the backward pass.
    package static func attention(
        _ shape: AttentionShape, q: UnsafePointer<Float>, cache: AttentionCache,
        firstKey: UnsafePointer<Int32>? = nil, endKey: UnsafePointer<Int32>? = nil,
        out: UnsafeMutablePointer<Float>, logSum: UnsafeMutablePointer<Float>? = nil,
        workspace: Workspace
    ) {
        var ck = shape.ck(firstKey, endKey)
        let byteCount = ck_attention_workspace(&ck)
        check(
            ck_attention(&ck, q, cache.ck, out, logSum, workspace.bytes(byteCount), byteCount))
    }

    /// Gradients of `attention` with `past` 0 over token-major `k` and `v`, `[tokens, kvHeads,
    /// headDim]`.
    ///
    /// `dq`, `dk` and `dv` have the shapes of `q`, `k` and `v` and are overwritten.
    package static func attentionBackward(
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
