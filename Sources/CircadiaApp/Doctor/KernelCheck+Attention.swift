import CircadiaKernels
import CircadiaModel
import ReferenceKernels

extension KernelCheck {
    /// Attention over a cache, and its gradients.
    static let attentionChecks = [
        KernelCheck(kernels: ["cache_append"], run: append),
        KernelCheck(kernels: ["attention"]) {
            // One token of SmolLM2-135M late in a chat, and a few of Llama-3.2-3B at the end of a
            // prompt.
            [attention(1, past: 700, heads: 9, kvHeads: 3, headDim: 64)]
                + [attention(19, past: 50, heads: 24, kvHeads: 8, headDim: 128)]
        },
        KernelCheck(kernels: ["attention_backward"], run: attentionBackward),
    ]

    /// A 16-bit KV cache with `keys` appended rows.
    private struct FilledCache {
        let cache: AttentionCache
        /// The appended keys and values, each of shape `[keys, kvHeads, headDim]`.
        let k, v: [Double]
        /// The same numbers as the cache stores them.
        let storedK, storedV: [Double]

        init(keys: Int, kvHeads: Int, headDim: Int) {
            var generator = SeededGenerator(seed: 1)
            let k = generator.floats(keys * kvHeads * headDim)
            let v = generator.floats(keys * kvHeads * headDim)
            let cache = AttentionCache(
                kvHeads: kvHeads, capacity: keys, headDim: headDim, format: .int16)
            let shape = AttentionShape(
                tokens: keys, past: 0, heads: kvHeads, kvHeads: kvHeads, headDim: headDim,
                capacity: keys)
            Kernels.append(keys: k.pointer, values: v.pointer, to: cache, shape: shape)
            let layout = Reference.CacheLayout(
                kvHeads: kvHeads, capacity: keys, headDim: headDim, most: 32767)
            let numbers = cache.numbers.map { $0.bindMemory(to: Int16.self).map(Double.init) }
            let steps = cache.steps.map { $0.map(Double.init) }
            self.cache = cache
            self.k = k.doubles
            self.v = v.doubles
            storedK = layout.rows(.keys, keys, numbers: numbers[0], steps: steps[0])
            storedV = layout.rows(.values, keys, numbers: numbers[1], steps: steps[1])
        }
    }

    /// Rounding is off by half a step at most: `|x| / 46300 / 2`, with `|x|` at most 8 times the
    /// largest number.
    @Sendable private static func append() -> [KernelDifference] {
        let filled = FilledCache(keys: 65, kvHeads: 3, headDim: 64)
        return [
            KernelDifference(filled.storedK, filled.k, terms: 0, epsilon: 1 / 46300),
            KernelDifference(filled.storedV, filled.v, terms: 0, epsilon: 1 / 46300),
        ]
    }

    private static func attention(
        _ tokens: Int, past: Int, heads: Int, kvHeads: Int, headDim: Int
    ) -> KernelDifference {
        let keys = past + tokens
        let filled = FilledCache(keys: keys, kvHeads: kvHeads, headDim: headDim)
        var generator = SeededGenerator(seed: 3)
        let q = generator.floats(tokens * heads * headDim)
        let out = FloatBuffer(count: q.count)
        let shape = AttentionShape(
            tokens: tokens, past: past, heads: heads, kvHeads: kvHeads, headDim: headDim,
            capacity: keys)
        Kernels.attention(
            shape, q: q.pointer, cache: filled.cache, out: out.pointer, workspace: Workspace())
        let reference = Reference.AttentionShape(
            heads: heads, kvHeads: kvHeads, headDim: headDim, scale: Double(shape.scale),
            visible: (0..<tokens).map { 0..<past + $0 + 1 })
        let expected = Reference.attention(
            reference, q: q.doubles, k: filled.storedK, v: filled.storedV
        ).out
        // For one token, query and probabilities are rounded to 16 bits.
        return KernelDifference(
            out.doubles, expected, terms: keys + headDim,
            epsilon: tokens == 1 ? 1 / 65536 : Double(Float.ulpOfOne))
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
