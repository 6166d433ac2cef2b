import CircadiaFormats
import CircadiaKernels
import Foundation

/// A Llama with its weights, ready to run on the CPU.
///
/// One model serves one thread of calls: scratch memory is its own and is used again, so that after
/// the first token nothing is allocated. Conversations differ by their `KVCache`.
package final class LlamaModel {
    /// The shape, from `config.json`.
    package let configuration: ModelConfiguration
    /// `model.embed_tokens`: `[vocabulary, hidden]`.
    package let embedding: WeightMatrix
    /// `model.layers.N`.
    package let layers: [LlamaLayer]
    /// `model.norm.weight`: `[hidden]`.
    package let finalNorm: FloatBuffer
    /// `lm_head`, or the embedding where the two are tied: `[vocabulary, hidden]`.
    package let head: WeightMatrix
    /// Radians per position: `[headDim/2]`.
    package let ropeFrequencies: FloatBuffer
    /// How matrices are multiplied. A cache made under one precision may be read under another.
    package var precision: Precision
    /// How new caches keep keys and values where `precision` is not exact.
    package var cacheFormat = CacheFormat.int8

    /// LoRA matrices that the forward pass adds to the projections, or nil for the base model.
    ///
    /// The adapter must be made for this shape (`LoRAAdapter.load` and `init` see to that).
    package var adapter: LoRAAdapter? {
        didSet {
            adapterVersion += 1
            adapter?.refresh(layers: layers, workspace: workspace)
        }
    }
    /// Counts assignments to `adapter`: what a cache holds is valid for one value only.
    package private(set) var adapterVersion = 0

    /// Tokens that pass through the layers together.
    static let chunkSize = 512
    let workspace = Workspace()
    let headOnly: [WeightMatrix]
    /// Whether every matrix is quantised.
    private let isQuantized: Bool
    var scratch: ForwardScratch
    var headScratch: HeadScratch
    /// The operands of the `forward` under way, and the closure that reads them: kept, because a closure
    /// that holds them itself is an allocation a token.
    var forwardCall: ForwardCall?
    private(set) lazy var runForwardCall: () -> Void = { [unowned self] in
        guard let call = forwardCall else { return }
        readAndScore(call.tokens, cache: call.cache, wanted: call.wanted)
    }
    /// The cache of `loss`, kept for its memory.
    var lossCache: KVCache?

    /// `.exact` where the environment says `CIRCADIA_EXACT=1`, else `.int8`.
    package static var defaultPrecision: Precision {
        ProcessInfo.processInfo.environment["CIRCADIA_EXACT"] == "1" ? .exact : .int8
    }

    /// Loads the weights of an MLX directory and packs them for the kernels.
    ///
    /// - Parameters:
    ///   - directory: the model's files.
    ///   - precision: nil for `defaultPrecision`.
    /// - Throws: `ModelError.format` where a tensor is missing, truncated or of another shape.
    package init(
        directory: ModelDirectory, precision: Precision? = nil
    ) throws {
        let configuration = directory.configuration
        self.configuration = configuration
        self.precision = precision ?? Self.defaultPrecision
        embedding = try directory.weightMatrix(
            "model.embed_tokens", rows: configuration.vocabularySize,
            columns: configuration.hiddenSize)
        var layers: [LlamaLayer] = []
        for index in 0..<configuration.layerCount {
            layers.append(try LlamaLayer(directory: directory, index: index))
        }
        self.layers = layers
        finalNorm = try directory.vector("model.norm.weight", count: configuration.hiddenSize)
        if configuration.tiesWordEmbeddings {
            head = embedding
        } else {
            head = try directory.weightMatrix(
                "lm_head", rows: configuration.vocabularySize,
                columns: configuration.hiddenSize)
        }
        headOnly = [head]
        isQuantized =
            head.bits != 32
            && layers.allSatisfy { layer in
                Projection.allCases.allSatisfy { layer.weight($0).bits != 32 }
            }
        ropeFrequencies = RopeFrequencies.make(for: configuration)
        scratch = ForwardScratch(configuration: configuration, tokens: 1)
        headScratch = HeadScratch(configuration: configuration, rows: 1)
    }

    /// Whether a token's logits are the same bits alone and among up to 16 others. So it is with
    /// 8-bit activations; products of dense matrices sum in another order for one token.
    var isBatchInvariant: Bool { precision == .int8 && isQuantized }

    /// How the head is multiplied: under `.int8` by activations of two digits, because its rounding falls on
    /// the logits themselves (a quarter of what KL was left after keys and values) and it runs for few
    /// tokens, where reading it takes longer than multiplying twice.
    var headPrecision: Precision { precision == .int8 ? .int8x2 : precision }

    /// An empty cache for a conversation of at most `capacity` tokens.
    ///
    /// Numbers are kept as `cacheFormat` says, or in f32 where the model's precision is exact.
    package func makeCache(capacity: Int) -> KVCache {
        KVCache(
            configuration: configuration, capacity: capacity,
            format: precision == .exact ? .f32 : cacheFormat)
    }
}

/// The operands of one call of `forward`.
struct ForwardCall {
    let tokens: UnsafeBufferPointer<Int32>
    let cache: KVCache
    /// How many of the last tokens are scored.
    let wanted: Int
}
