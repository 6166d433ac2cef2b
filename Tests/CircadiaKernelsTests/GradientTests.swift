import CircadiaTestSupport
import Testing

import CircadiaKernels
import ReferenceKernels

/// The reference's gradients against central differences, all in double precision.
extension KernelSuite {
    @Suite struct GradientTests {
        /// The largest difference between `gradient` and the slope of `loss` around `x`, relative
        /// to the largest slope.
        private static func error(
            of gradient: [Double], at x: [Double], loss: ([Double]) -> Double
        ) -> Double {
            let step = 1e-5
            var slopes: [Double] = []
            for index in x.indices {
                var (up, down) = (x, x)
                up[index] += step
                down[index] -= step
                slopes.append((loss(up) - loss(down)) / (2 * step))
            }
            let size = slopes.magnitudes.max() ?? 0
            return zip(slopes, gradient).map { abs($0 - $1) }.max().map { $0 / max(size, 1e-9) }
                ?? 0
        }

        private static func sum(_ a: [Double], _ b: [Double]) -> Double {
            zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
        }

        private var generator = SplitMix64(seed: 11)

        private mutating func random(_ count: Int) -> [Double] { generator.floats(count).doubles }

        @Test mutating func rmsNorm() {
            let (x, w, dy) = (random(21), random(7), random(21))
            let rstd = Reference.rmsNorm(x: x, weight: w, tokens: 3, epsilon: 1e-5).rstd
            let dx = Reference.rmsNormBackward(x: x, weight: w, rstd: rstd, dy: dy, tokens: 3)
            #expect(
                Self.error(of: dx, at: x) {
                    Self.sum(Reference.rmsNorm(x: $0, weight: w, tokens: 3, epsilon: 1e-5).y, dy)
                } < 1e-7)
        }

        @Test mutating func swiGLU() {
            let (gate, up, dout) = (random(17), random(17), random(17))
            let (dgate, dup) = Reference.swiGLUBackward(gate: gate, up: up, dout: dout)
            #expect(
                Self.error(of: dgate, at: gate) {
                    Self.sum(Reference.swiGLU(gate: $0, up: up), dout)
                } < 1e-7)
            #expect(
                Self.error(of: dup, at: up) { Self.sum(Reference.swiGLU(gate: gate, up: $0), dout) }
                    < 1e-7)
        }

        @Test mutating func ropeTurnsBack() {
            let (x, dy) = (random(3 * 2 * 8), random(3 * 2 * 8))
            let frequencies: [Float] = [1, 0.3, 0.1, 0.03]
            let dx = Reference.rope(
                dy, positions: [0, 5, 11], frequencies: frequencies, heads: 2, inverse: true)
            #expect(
                Self.error(of: dx, at: x) {
                    Self.sum(
                        Reference.rope(
                            $0, positions: [0, 5, 11], frequencies: frequencies, heads: 2,
                            inverse: false), dy)
                } < 1e-7)
        }

        @Test mutating func attention() {
            let visible = [0..<1, 0..<2, 2..<3, 2..<4, 2..<5, 4..<4]
            let shape = Reference.AttentionShape(
                heads: 4, kvHeads: 2, headDim: 3, scale: 0.7, visible: visible)
            let (q, dout) = (random(6 * 4 * 3), random(6 * 4 * 3))
            let (k, v) = (random(6 * 2 * 3), random(6 * 2 * 3))
            let (out, logSum) = Reference.attention(shape, q: q, k: k, v: v)
            let (dq, dk, dv) = Reference.attentionBackward(
                shape, q: q, k: k, v: v, out: out, logSum: logSum, dout: dout)
            let loss = { (q: [Double], k: [Double], v: [Double]) in
                Self.sum(Reference.attention(shape, q: q, k: k, v: v).out, dout)
            }
            #expect(Self.error(of: dq, at: q) { loss($0, k, v) } < 1e-7)
            #expect(Self.error(of: dk, at: k) { loss(q, $0, v) } < 1e-7)
            #expect(Self.error(of: dv, at: v) { loss(q, k, $0) } < 1e-7)
        }

        @Test mutating func crossEntropy() {
            let logits = random(3 * 9)
            let targets: [Int32] = [0, 8, 4]
            let gradient = Reference.crossEntropy(
                logits: logits, targets: targets, vocabulary: 9, rowScale: 0.25
            ).gradient
            #expect(
                Self.error(of: gradient, at: logits) {
                    0.25
                        * Reference.crossEntropy(
                            logits: $0, targets: targets, vocabulary: 9, rowScale: 1
                        ).losses.reduce(0, +)
                } < 1e-7)
        }

        @Test mutating func lora() {
            let (x, a, b) = (random(4 * 5), random(5 * 2), random(2 * 6))
            let dy = random(4 * 6)
            let y = random(4 * 6)
            let forward = { (x: [Double], a: [Double], b: [Double]) in
                Reference.lora(x: x, a: a, b: b, scale: 1.5, tokens: 4, rank: 2, y: y)
            }
            let (da, db, dx) = Reference.loraBackward(
                x: x, xa: forward(x, a, b).xa, a: a, b: b, dy: dy, scale: 1.5, tokens: 4, rank: 2)
            #expect(Self.error(of: dx, at: x) { Self.sum(forward($0, a, b).y, dy) } < 1e-7)
            #expect(Self.error(of: da, at: a) { Self.sum(forward(x, $0, b).y, dy) } < 1e-7)
            #expect(Self.error(of: db, at: b) { Self.sum(forward(x, a, $0).y, dy) } < 1e-7)
        }
    }
}
