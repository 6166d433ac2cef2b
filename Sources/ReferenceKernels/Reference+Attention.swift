import Foundation

extension Reference {
    /// The dimensions of one attention call and the keys that each query sees.
    package struct AttentionShape: Sendable {
        /// Query heads.
        package var heads: Int
        /// Key and value heads; divides `heads`.
        package var kvHeads: Int
        /// Numbers per head.
        package var headDim: Int
        /// Multiplies every `q·k`.
        package var scale: Double
        /// For each query, the range of keys that it sees.
        package var visible: [Range<Int>]

        /// Creates a shape from its parts.
        package init(
            heads: Int, kvHeads: Int, headDim: Int, scale: Double, visible: [Range<Int>]
        ) {
            self.heads = heads
            self.kvHeads = kvHeads
            self.headDim = headDim
            self.scale = scale
            self.visible = visible
        }

        /// The index of query `t` of head `h` in `[tokens, heads, headDim]`.
        func query(_ t: Int, _ h: Int) -> Int { (t * heads + h) * headDim }

        /// The index of key `s` in `[keys, kvHeads, headDim]`, for query head `h`.
        func key(_ s: Int, _ h: Int) -> Int { (s * kvHeads + h / (heads / kvHeads)) * headDim }
    }

    /// `out[t, h] = Σ_s softmax_s(scale · q[t, h]·k[s]) v[s]`; zeros if a query sees no key.
    ///
    /// `q` is `[tokens, heads, headDim]`; `k` and `v` are `[keys, kvHeads, headDim]`.
    ///
    /// - Returns: `out` like `q`, and `logSum` `[tokens, heads]`, `ln Σ_s exp(scale · q·k[s])`.
    package static func attention(
        _ shape: AttentionShape, q: [Double], k: [Double], v: [Double]
    ) -> (out: [Double], logSum: [Double]) {
        var out = [Double](repeating: 0, count: q.count)
        var logSum = [Double](
            repeating: -.infinity, count: shape.visible.count * shape.heads)
        for (t, keys) in shape.visible.enumerated() where !keys.isEmpty {
            for h in 0..<shape.heads {
                let query = shape.query(t, h)
                let scores = keys.map {
                    shape.scale * dot(q, query, k, shape.key($0, h), shape.headDim)
                }
                let maximum = scores.reduce(-Double.infinity, max)
                let sum = scores.reduce(0) { $0 + exp($1 - maximum) }
                logSum[t * shape.heads + h] = maximum + log(sum)
                for (s, score) in zip(keys, scores) {
                    let p = exp(score - maximum) / sum
                    let value = shape.key(s, h)
                    for i in 0..<shape.headDim { out[query + i] += p * v[value + i] }
                }
            }
        }
        return (out, logSum)
    }

    /// Gradients of `attention`. With `p` the probabilities and `D = dout·out`, `ds = scale · p ·
    /// (dout·v − D)`, `dv += p · dout`, `dk += ds · q`, `dq += ds · k`.
    ///
    /// `q`, `dout`, `out` and the result `dq` are `[tokens, heads, headDim]`. `k`, `v`, `dk` and
    /// `dv` are `[keys, kvHeads, headDim]`.
    package static func attentionBackward(
        _ shape: AttentionShape, q: [Double], k: [Double], v: [Double], out: [Double],
        logSum: [Double], dout: [Double]
    ) -> (dq: [Double], dk: [Double], dv: [Double]) {
        var dq = [Double](repeating: 0, count: q.count)
        var dk = [Double](repeating: 0, count: k.count)
        var dv = [Double](repeating: 0, count: v.count)
        let width = shape.headDim
        for (t, keys) in shape.visible.enumerated() {
            for h in 0..<shape.heads {
                let query = shape.query(t, h)
                let offset = dot(dout, query, out, query, width)
                for s in keys {
                    let key = shape.key(s, h)
                    let score = shape.scale * dot(q, query, k, key, width)
                    let p = exp(score - logSum[t * shape.heads + h])
                    let ds = shape.scale * p * (dot(dout, query, v, key, width) - offset)
                    for i in 0..<width {
                        dv[key + i] += p * dout[query + i]
                        dk[key + i] += ds * q[query + i]
                        dq[query + i] += ds * k[key + i]
                    }
                }
            }
        }
        return (dq, dk, dv)
    }

    /// `Σ_i a[first + i] · b[second + i]` for `i < count`.
    static func dot(_ a: [Double], _ first: Int, _ b: [Double], _ second: Int, _ count: Int)
        -> Double
    {
        var sum = 0.0
        for i in 0..<count { sum += a[first + i] * b[second + i] }
        return sum
    }
}
