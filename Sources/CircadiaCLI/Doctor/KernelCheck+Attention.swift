import CircadiaFormats
import CircadiaKernels
import CircadiaModel
import ReferenceKernels

extension KernelCheck {
    /// Attention over a cache, and its gradients.
    static let attentionChecks = [
        KernelCheck(kernels: ["cache_append"], run: append),
        KernelCheck(kernels: ["attention"]) {
            // A token of SmolLM2-135M far into a chat, a few of Llama-3.2-3B at a prompt's end.
            [attention(1, past: 700, heads: 9, kvHeads: 3, headDim: 64)]
                + [attention(19, past: 50, heads: 24, kvHeads: 8, headDim: 128)]
        },
        KernelCheck(kernels: ["attention_backward"], run: attentionBackward),
    ]

    /// An f16 cache of `keys` rows, and its numbers `[keys, kvHeads, headDim]`.
    private static func cache(
        keys: Int, kvHeads: Int, headDim: Int, seed: UInt64
    ) -> (AttentionCache, [Double]) {
        var generator = SeededGenerator(seed: seed)
        let x = generator.floats(keys * kvHeads * headDim)
        let cache = AttentionCache(
            kvHeads: kvHeads, capacity: keys, headDim: headDim, format: .f16)
        let shape = AttentionShape(
            tokens: keys, past: 0, heads: kvHeads, kvHeads: kvHeads, headDim: headDim,
            capacity: keys)
        Kernels.append(x.pointer, to: cache, shape: shape)
        return (cache, x.doubles.map(Reference.roundedToHalf))
    }

    @Sendable private static func append() -> [KernelDifference] {
        let (keys, kvHeads, headDim) = (65, 3, 64)
        let (cache, rows) = cache(keys: keys, kvHeads: kvHeads, headDim: headDim, seed: 1)
        let halves = cache.bytes.bindMemory(to: UInt16.self)[..<rows.count]
        let expected = Reference.cacheAppend(
            [Double](repeating: 0, count: rows.count), x: rows, kvHeads: kvHeads, headDim: headDim,
            past: 0, isHalf: true)
        return [KernelDifference(exactly: halves.map(Reference.half), expected)]
    }

    private static func attention(
        _ tokens: Int, past: Int, heads: Int, kvHeads: Int, headDim: Int
    ) -> KernelDifference {
        let keys = past + tokens
        let (keyCache, k) = cache(keys: keys, kvHeads: kvHeads, headDim: headDim, seed: 1)
        let (valueCache, v) = cache(keys: keys, kvHeads: kvHeads, headDim: headDim, seed: 2)
        var generator = SeededGenerator(seed: 3)
        let q = generator.floats(tokens * heads * headDim)
        let out = FloatBuffer(count: q.count)
        let shape = AttentionShape(
            tokens: tokens, past: past, heads: heads, kvHeads: kvHeads, headDim: headDim,
            capacity: keys)
        Kernels.attention(
            shape, q: q.pointer, keys: keyCache, values: valueCache, out: out.pointer,
            workspace: Workspace())
        let reference = Reference.AttentionShape(
            heads: heads, kvHeads: kvHeads, headDim: headDim, scale: Double(shape.scale),
            visible: (0..<tokens).map { 0..<past + $0 + 1 })
        let expected = Reference.attention(reference, q: q.doubles, k: k, v: v).out
        return KernelDifference(out.doubles, expected, terms: keys + headDim)
    }

    @Sendable private static func attentionBackward() -> [KernelDifference] {
        let (tokens, heads, kvHeads, headDim) = (48, 9, 3, 64)
        var generator = SeededGenerator(seed: 4)
        let q = generator.floats(tokens * heads * headDim)
        let k = generator.floats(tokens * kvHeads * headDim)
        let v = generator.floats(tokens * kvHeads * headDim)
        let dout = generator.floats(q.count)
        let shape = AttentionShape(
            tokens: tokens, past: 0, heads: heads, kvHeads: kvHeads, headDim: headDim, capacity: 0)
        let reference = Reference.AttentionShape(
            heads: heads, kvHeads: kvHeads, headDim: headDim, scale: Double(shape.scale),
            visible: (0..<tokens).map { 0..<$0 + 1 })
        let forward = Reference.attention(reference, q: q.doubles, k: k.doubles, v: v.doubles)
        let out = FloatBuffer(forward.out.map { Float($0) })
        let logSum = FloatBuffer(forward.logSum.map { Float($0) })
        let dq = FloatBuffer(count: q.count)
        let (dk, dv) = (FloatBuffer(count: k.count), FloatBuffer(count: v.count))
        Kernels.attentionBackward(
            shape, q: q.pointer, k: k.pointer, v: v.pointer, out: out.pointer,
            logSum: logSum.pointer, dout: dout.pointer, dq: dq.pointer, dk: dk.pointer,
            dv: dv.pointer, workspace: Workspace())
        let expected = Reference.attentionBackward(
            reference, q: q.doubles, k: k.doubles, v: v.doubles, out: forward.out,
            logSum: forward.logSum, dout: dout.doubles)
        let terms = tokens + headDim
        return [
            KernelDifference(dq.doubles, expected.dq, terms: terms),
            KernelDifference(dk.doubles, expected.dk, terms: terms),
            KernelDifference(dv.doubles, expected.dv, terms: terms),
        ]
    }
}
