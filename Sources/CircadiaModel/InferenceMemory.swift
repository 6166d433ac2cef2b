import CircadiaFormats
import CircadiaKernels

/// What forward passes compute in: it grows to the largest call and is used again.
///
/// It serves one thread of calls, and it is not `Sendable`.
final class InferenceMemory {
    let workspace = Workspace()
    var scratch: ForwardScratch
    var headScratch: HeadScratch
    /// The cache of `loss`, kept for its memory.
    var lossCache: KVCache?
    /// The operands of the `forward` under way, and the closure that reads them: kept, because a closure
    /// that holds them itself is an allocation a token.
    var forwardCall: ForwardCall?
    private(set) lazy var runForwardCall: () -> Void = { [unowned self] in
        guard let call = forwardCall else { return }
        call.model.readAndScore(call.tokens, cache: call.cache, wanted: call.wanted)
    }

    /// Room for one token.
    init(configuration: ModelConfiguration) {
        scratch = ForwardScratch(configuration: configuration, tokens: 1)
        headScratch = HeadScratch(configuration: configuration, rows: 1)
    }
}

/// The operands of one call of `forward`.
struct ForwardCall {
    let model: AdaptedModel
    let tokens: UnsafeBufferPointer<Int32>
    let cache: KVCache
    /// How many of the last tokens are scored.
    let wanted: Int
}
