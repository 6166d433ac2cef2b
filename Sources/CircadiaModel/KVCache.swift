import CircadiaFormats
import CircadiaKernels

/// Keys and values of the tokens that a model has read, for all its layers.
///
/// Memory grows in steps as tokens arrive, up to `capacity` tokens. Keys hold their positions, so
/// tokens can be taken away at the end only.
package final class KVCache {
    /// The most tokens that it may hold.
    package let capacity: Int
    /// The tokens that it holds.
    package private(set) var count = 0
    /// How numbers are kept.
    package let format: CacheFormat

    private(set) var layers: [AttentionCache] = []
    /// Tokens that memory is there for.
    private(set) var rows = 0
    private let layerCount, kvHeads, headDim: Int

    init(configuration: ModelConfiguration, capacity: Int, format: CacheFormat) {
        precondition(capacity >= 0, "a cache cannot hold \(capacity) tokens")
        self.capacity = capacity
        self.format = format
        layerCount = configuration.layerCount
        kvHeads = configuration.kvHeadCount
        headDim = configuration.headDim
    }

    /// The bytes held.
    package var byteCount: Int {
        layers.reduce(0) { $0 + $1.byteCount }
    }

    /// Tokens that still fit.
    package var remaining: Int { capacity - count }

    /// Forgets all tokens after the first `newCount`; memory is kept for the next ones.
    package func truncate(to newCount: Int) {
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
        // One buffer for all layers is large enough for huge pages.
        let buffer = AlignedBuffer<UInt8>(count: layerCount * byteCount)
        let old = layers
        layers = (0..<layerCount).map { index in
            let cache = AttentionCache(
                kvHeads: kvHeads, capacity: newRows, headDim: headDim, format: format, in: buffer,
                at: index * byteCount)
            if index < old.count { cache.copy(first: count, of: old[index]) }
            return cache
        }
        rows = newRows
    }

    /// Counts tokens whose keys and values all layers have written.
    func advance(by tokens: Int) { count += tokens }
}
