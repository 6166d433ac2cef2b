import CircadiaFormats
import CircadiaKernels

/// A model as it runs: frozen weights, the adapter applied to them, if any, and memory to compute in.
///
/// The value never changes: `with(_:)` gives the same weights with another adapter, and conversations
/// differ by their `KVCache`. All values that come of one `init` share their memory, so that after the
/// first token nothing is allocated; together they serve one thread of calls. To answer on two threads
/// at once, make two values of the same `LlamaModel`.
package struct AdaptedModel {
    /// The frozen weights.
    package let weights: LlamaModel
    /// LoRA matrices that the forward pass adds to the projections, or nil for the base model.
    ///
    /// Made for this shape (`LoRAAdapter.load` and `init` see to that). After its numbers have changed
    /// in place, call `with(_:)` again.
    package let adapter: LoRAAdapter?
    /// How matrices are multiplied. A cache made under one precision may be read under another.
    package let precision: Precision
    /// What the arithmetic needs besides.
    let memory: InferenceMemory

    /// Tokens that pass through the layers together.
    static let chunkSize = 512

    /// A model with memory of its own.
    ///
    /// - Parameters:
    ///   - weights: the frozen weights; their precision holds.
    ///   - adapter: made for the shape of `weights`; nil for the base model.
    package init(_ weights: LlamaModel, adapter: LoRAAdapter?) {
        self.init(
            weights: weights, adapter: adapter, precision: weights.precision,
            memory: InferenceMemory(configuration: weights.configuration))
        adapter?.refresh(layers: weights.layers, workspace: memory.workspace)
    }

    private init(
        weights: LlamaModel, adapter: LoRAAdapter?, precision: Precision, memory: InferenceMemory
    ) {
        self.weights = weights
        self.adapter = adapter
        self.precision = precision
        self.memory = memory
    }

    /// The same weights with `adapter`, or without one; in the same memory.
    ///
    /// What follows from a DoRA adapter's numbers is computed now, so ask once for each adapter.
    package func with(_ adapter: LoRAAdapter?) -> AdaptedModel {
        adapter?.refresh(layers: weights.layers, workspace: memory.workspace)
        return AdaptedModel(
            weights: weights, adapter: adapter, precision: precision, memory: memory)
    }

    /// The same model and adapter at another precision; in the same memory.
    package func with(precision: Precision) -> AdaptedModel {
        AdaptedModel(weights: weights, adapter: adapter, precision: precision, memory: memory)
    }

    /// The shape, from `config.json`.
    package var configuration: ModelConfiguration { weights.configuration }

    /// Whether a token's logits are the same bits alone and among up to 16 others. So it is with
    /// 8-bit activations; products of dense matrices sum in another order for one token.
    var isBatchInvariant: Bool { precision == .int8 && weights.isQuantized }

    /// How the head is multiplied: under `.int8` by activations of two digits, because its rounding falls on
    /// the logits themselves (a quarter of what KL was left after keys and values) and it runs for few
    /// tokens, where reading it takes longer than multiplying twice.
    var headPrecision: Precision { precision == .int8 ? .int8x2 : precision }

    /// An empty cache for a conversation of at most `capacity` tokens.
    ///
    /// Numbers are kept as the weights' `cacheFormat` says, or in f32 where the precision is exact.
    package func makeCache(capacity: Int) -> KVCache {
        KVCache(configuration: configuration, capacity: capacity, format: cacheFormat)
    }

    /// How this model's caches keep numbers.
    var cacheFormat: CacheFormat { precision == .exact ? .f32 : weights.cacheFormat }
}
