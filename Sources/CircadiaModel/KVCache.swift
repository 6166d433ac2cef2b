import CircadiaFormats
import CircadiaKernels

/// Keys and values of the tokens that a model has read, for all its layers.
///
/// Memory grows in steps as tokens arrive, up to `capacity` tokens. Keys hold their positions, so
/// tokens can be taken away at the end only.
public final class KVCache {
    /// The most tokens that it may hold.
    public let capacity: Int
    /// The tokens that it holds.
    public private(set) var count = 0
    /// The dtype of the stored numbers.
    public let format: FloatFormat

    private(set) var keys: [AttentionCache]
    private(set) var values: [AttentionCache]
    /// Tokens that memory is there for.
    private(set) var rows = 0
    private let layerCount, kvHeads, headDim: Int

    init(configuration: ModelConfiguration, capacity: Int, format: FloatFormat) {
        precondition(capacity >= 0, "a cache cannot hold \(capacity) tokens")
        self.capacity = capacity
        self.format = format
        layerCount = configuration.layerCount
        kvHeads = configuration.kvHeadCount
        headDim = configuration.headDim
        keys = []
        values = []
    }

    /// The bytes held.
    public var byteCount: Int {
        keys.reduce(0) { $0 + $1.byteCount } + values.reduce(0) { $0 + $1.byteCount }
    }

    /// Tokens that still fit.
    public var remaining: Int { capacity - count }

    /// Forgets all tokens after the first `newCount`; memory is kept for the next ones.
    public func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count, "only tokens at the end can be dropped")
        count = newCount
    }

    /// Makes room for `tokens` more.
    func reserve(_ tokens: Int) {
        let needed = count + tokens
        precondition(needed <= capacity, "\(needed) tokens in a cache for \(capacity)")
        guard needed > rows else { return }
        let step = max(needed, rows + max(256, rows / 2))
        let newRows = min(capacity, (step + 255) / 256 * 256)
        let byteCount = AttentionCache.byteCount(
            kvHeads: kvHeads, capacity: newRows, headDim: headDim, format: format)
        let strideBytes = (byteCount + 63) / 64 * 64
        // One buffer for all layers is large enough for huge pages.
        let buffer = AlignedBuffer<UInt8>(count: 2 * layerCount * strideBytes)
        let old = keys + values
        let new = (0..<2 * layerCount).map { index in
            let cache = AttentionCache(
                kvHeads: kvHeads, capacity: newRows, headDim: headDim, format: format, in: buffer,
                at: index * strideBytes)
            if index < old.count { move(old[index], to: cache, newRows: newRows) }
            return cache
        }
        keys = Array(new[..<layerCount])
        values = Array(new[layerCount...])
        rows = newRows
    }

    /// Counts tokens whose keys and values all layers have written.
    func advance(by tokens: Int) { count += tokens }

    /// Copies what is stored: heads lie one after the other, so each moves by itself.
    private func move(_ old: AttentionCache, to new: AttentionCache, newRows: Int) {
        let rowBytes = headDim * format.byteCount
        for head in 0..<kvHeads {
            let source = UnsafeRawBufferPointer(old.bytes)[head * rows * rowBytes..<old.bytes.count]
            let target = new.bytes[head * newRows * rowBytes..<new.bytes.count]
            UnsafeMutableRawBufferPointer(rebasing: target.prefix(count * rowBytes))
                .copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: source.prefix(count * rowBytes)))
        }
    }
}
