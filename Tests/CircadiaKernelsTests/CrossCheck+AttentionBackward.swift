import CircadiaTestSupport
import Foundation

import CircadiaKernels
import ReferenceKernels

extension CrossCheck {
    /// Gradients of attention.
    static let attentionBackwardChecks = [
        CrossCheck(kernels: ["attention_backward"], cases: backwardCases)
    ]

    private static var backwardCases: [CrossCheckCase] {
        [1, 2, 15, 16, 17, 31, 33, 63, 64, 65, 97].map {
            backward(tokens: $0, heads: 3, kvHeads: 1, headDim: 64, segment: $0)
        }
            + [8, 15, 16, 17, 32, 48, 80, 128, 144].map {
                backward(tokens: 19, heads: 4, kvHeads: 2, headDim: $0, segment: 19)
            } + [
                backward(tokens: 0, heads: 3, kvHeads: 1, headDim: 64, segment: 1),
                backward(tokens: 130, heads: 9, kvHeads: 3, headDim: 64, segment: 29),
            ]
    }

    /// Causal attention over conversations of `segment` tokens packed one after the other.
    private static func backward(
        tokens: Int, heads: Int, kvHeads: Int, headDim: Int, segment: Int
    ) -> CrossCheckCase {
        var generator = SplitMix64(seed: UInt64(tokens * 100 + headDim))
        let q = generator.floats(tokens * heads * headDim, in: -2...2)
        let k = generator.floats(tokens * kvHeads * headDim, in: -2...2)
        let v = generator.floats(tokens * kvHeads * headDim)
        let dout = generator.floats(tokens * heads * headDim)
        let visible = (0..<tokens).map { $0 / segment * segment..<$0 + 1 }
        let first = visible.map { Int32($0.lowerBound) }
        let shape = AttentionShape(
            tokens: tokens, past: 0, heads: heads, kvHeads: kvHeads, headDim: headDim, capacity: 0)
        let reference = Reference.AttentionShape(
            heads: heads, kvHeads: kvHeads, headDim: headDim, scale: Double(shape.scale),
            visible: visible)
        let forward = Reference.attention(reference, q: q.doubles, k: k.doubles, v: v.doubles)
        let (out, logSum) = (forward.out.floats, forward.logSum.floats)
        let call = KernelCall(
            .attentionBackward, integers: shape.integers, floats: [shape.scale],
            operands: [
                segment == tokens ? .absent : .input(first), .absent, .input(q), .input(k),
                .input(v), .input(out), .input(logSum), .input(dout), .output(count: q.count),
                .output(count: k.count), .output(count: v.count),
            ])
        let label = "\(tokens) × \(heads)/\(kvHeads) × \(headDim)"
        return CrossCheckCase(label: label, call: call) {
            let (dq, dk, dv) = Reference.attentionBackward(
                reference, q: q.doubles, k: k.doubles, v: v.doubles, out: out.doubles,
                logSum: logSum.doubles, dout: dout.doubles)
            // The same sums of absolute values: what the roundings are relative to.
            var (mq, mk, mv) = (dq.map { _ in 0.0 }, dk.map { _ in 0.0 }, dv.map { _ in 0.0 })
            for t in 0..<tokens {
                for h in 0..<heads {
                    let query = (t * heads + h) * headDim
                    for s in visible[t] {
                        let key = (s * kvHeads + h / (heads / kvHeads)) * headDim
                        var (score, inner) = (0.0, 0.0)
                        for i in 0..<headDim {
                            score += Double(q[query + i]) * Double(k[key + i])
                            let d = abs(Double(dout[query + i]))
                            inner += d * (abs(Double(v[key + i])) + abs(Double(out[query + i])))
                        }
                        let p = exp(score * Double(shape.scale) - Double(logSum[t * heads + h]))
                        let ds = p * inner * Double(shape.scale)
                        for i in 0..<headDim {
                            mv[key + i] += p * abs(Double(dout[query + i]))
                            mk[key + i] += ds * abs(Double(q[query + i]))
                            mq[query + i] += ds * abs(Double(k[key + i]))
                        }
                    }
                }
            }
            // p is off by its score's error (as forward), the sums by theirs.
            let score = Comparison.sumTolerance(
                terms: headDim, magnitude: Double(headDim) * Double(shape.scale))
            let relative = score + Comparison.sumTolerance(terms: tokens + headDim, magnitude: 1)
            return [
                Expected(dq) { relative * mq[$0] }, Expected(dk) { relative * mk[$0] },
                Expected(dv) { relative * mv[$0] },
            ]
        }
    }
}
