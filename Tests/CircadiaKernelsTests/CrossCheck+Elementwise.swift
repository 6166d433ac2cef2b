import CircadiaTestSupport
import CircadiaKernels
import ReferenceKernels

extension CrossCheck {
    /// SwiGLU forward and backward, GELU, additions, rope.
    static let elementwiseChecks = [
        CrossCheck(
            kernels: ["swiglu"],
            cases: counts.map { swiGLU(tokens: 1, width: $0) }
                + [(2, 17), (3, 100), (5, 1536), (33, 576), (0, 8), (4, 0)].map {
                    swiGLU(tokens: $0, width: $1)
                }),
        CrossCheck(kernels: ["swiglu_backward"], cases: counts.map(swiGLUBackward)),
        CrossCheck(kernels: ["gelu"], cases: counts.map(gelu)),
        CrossCheck(kernels: ["add"], cases: counts.map(add)),
        CrossCheck(
            kernels: ["add_bias"],
            cases: widths.map { addBias(tokens: 3, width: $0) }
                + [addBias(tokens: 0, width: 8), addBias(tokens: 137, width: 24)]),
        CrossCheck(kernels: ["rope"], cases: ropeCases),
    ]

    /// Numbers from ordinary to far beyond where exp saturates.
    private static func wide(_ count: Int, _ generator: inout SplitMix64) -> [Float] {
        let far: [Float] = [0, -0.0, 20, -20, 87, -87, 88.5, -88.5, 104, -104, 1000, -1000]
        return generator.floats(count, in: -6...6).enumerated().map { index, value in
            index % 5 == 4 ? far[index / 5 % far.count] : value
        }
    }

    private static func swiGLU(tokens: Int, width: Int) -> CrossCheckCase {
        let count = tokens * width
        var generator = SplitMix64(seed: UInt64(count))
        let gate = wide(count, &generator)
        let up = generator.floats(count)
        let call = KernelCall(
            .swiGLU, integers: [tokens, width],
            operands: [.input(gate), .input(up), .output(count: count)])
        return CrossCheckCase(label: "\(tokens) × \(width) elements", call: call) {
            let out = Reference.swiGLU(gate: gate.doubles, up: up.doubles)
            // Below 1e-35 e^-gate nears infinity; what is left has no digits to lose.
            return [Expected(out) { 8 * epsilon * abs(out[$0]) + 1e-35 }]
        }
    }

    private static func swiGLUBackward(count: Int) -> CrossCheckCase {
        var generator = SplitMix64(seed: UInt64(count) + 1000)
        let gate = wide(count, &generator)
        let up = generator.floats(count)
        let dout = generator.floats(count)
        let call = KernelCall(
            .swiGLUBackward, integers: [count],
            operands: [
                .input(gate), .input(up), .input(dout), .output(count: count),
                .output(count: count),
            ])
        return CrossCheckCase(label: "\(count) elements", call: call) {
            let (dgate, dup) = Reference.swiGLUBackward(
                gate: gate.doubles, up: up.doubles, dout: dout.doubles)
            return [
                Expected(dgate) { (index: Int) -> Double in
                    // 1 + gate·(1 − σ) cancels around −1.28: count both of its terms.
                    let (g, d) = (Double(gate[index]), Double(dout[index]))
                    let one = Reference.swiGLU(gate: [abs(g)], up: [1])[0]
                    let sigmoid = g == 0 ? 0.5 : (g > 0 ? one / g : 1 - one / -g)
                    let magnitude = abs(d * Double(up[index])) * sigmoid * (1 + abs(g))
                    return 8 * epsilon * magnitude + 1e-35
                },
                Expected(dup) { 8 * epsilon * abs(dup[$0]) + 1e-35 },
            ]
        }
    }

    private static func gelu(count: Int) -> CrossCheckCase {
        var generator = SplitMix64(seed: UInt64(count) + 2000)
        let x = wide(count, &generator)
        let call = KernelCall(
            .gelu, integers: [count], operands: [.input(x), .output(count: count)])
        return CrossCheckCase(label: "\(count) elements", call: call) {
            // Φ is exact to some ε of 1, so far below zero the result is exact to ε of x.
            [Expected(Reference.gelu(x.doubles)) { 4 * epsilon * abs(Double(x[$0])) }]
        }
    }

    private static func add(count: Int) -> CrossCheckCase {
        var generator = SplitMix64(seed: UInt64(count) + 3000)
        let (y, x) = (generator.floats(count), generator.floats(count))
        let call = KernelCall(.add, integers: [count], operands: [.output(y), .input(x)])
        return CrossCheckCase(label: "\(count) elements", call: call) {
            let sum = Reference.add(y.doubles, x.doubles)
            return [Expected(sum) { epsilon / 2 * abs(sum[$0]) }]
        }
    }

    private static func addBias(tokens: Int, width: Int) -> CrossCheckCase {
        var generator = SplitMix64(seed: UInt64(width) + 4000)
        let (y, bias) = (generator.floats(tokens * width), generator.floats(width))
        let call = KernelCall(
            .addBias, integers: [tokens, width], operands: [.output(y), .input(bias)])
        return CrossCheckCase(label: "\(tokens) × \(width)", call: call) {
            let sum = Reference.addBias(y.doubles, bias: bias.doubles)
            return [Expected(sum) { epsilon / 2 * abs(sum[$0]) }]
        }
    }

    private static var ropeCases: [CrossCheckCase] {
        var cases: [CrossCheckCase] = []
        for headDim in [2, 6, 14, 16, 18, 30, 32, 34, 62, 64, 66, 128] {
            cases.append(rope(tokens: 3, heads: 2, headDim: headDim, inverse: false))
            cases.append(rope(tokens: 3, heads: 2, headDim: headDim, inverse: true))
        }
        cases.append(rope(tokens: 0, heads: 2, headDim: 64, inverse: false))
        cases.append(rope(tokens: 140, heads: 9, headDim: 64, inverse: false))
        return cases
    }

    private static func rope(
        tokens: Int, heads: Int, headDim: Int, inverse: Bool
    ) -> CrossCheckCase {
        var generator = SplitMix64(seed: UInt64(headDim) + 5000)
        let x = generator.floats(tokens * heads * headDim)
        let positions: [Int32] = (0..<tokens).map { (t: Int) -> Int32 in
            t < 100 ? Int32(t * t * 13) : Int32(t)
        }
        let frequencies = generator.floats(headDim / 2, in: 0...1)
        let call = KernelCall(
            .rope, integers: [tokens, heads, headDim, inverse ? 1 : 0],
            operands: [.output(x), .input(positions), .input(frequencies)])
        let label = "\(tokens) × \(heads) × \(headDim), inverse \(inverse)"
        return CrossCheckCase(label: label, call: call) {
            let out = Reference.rope(
                x.doubles, positions: positions, frequencies: frequencies, heads: heads,
                inverse: inverse)
            return [
                Expected(out) { (index: Int) -> Double in
                    let half = headDim / 2
                    let partner = index % headDim < half ? index + half : index - half
                    let size = abs(Double(x[index])) + abs(Double(x[partner]))
                    return 3 * epsilon * size
                }
            ]
        }
    }
}
