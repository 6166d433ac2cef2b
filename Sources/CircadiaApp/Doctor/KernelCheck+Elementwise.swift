import CircadiaKernels
import CircadiaModel
import ReferenceKernels

extension KernelCheck {
    /// Normalisation, position, activations, additions and the greedy choice.
    static let elementwiseChecks = [
        KernelCheck(kernels: ["rmsnorm", "rmsnorm_backward_x"], run: rmsNorm),
        KernelCheck(kernels: ["layernorm"], run: layerNorm),
        KernelCheck(kernels: ["rope"], run: rope),
        KernelCheck(kernels: ["swiglu"], run: swiGLU),
        KernelCheck(kernels: ["swiglu_backward"], run: swiGLUBackward),
        KernelCheck(kernels: ["gelu"], run: gelu),
        KernelCheck(kernels: ["add"], run: add),
        KernelCheck(kernels: ["add_bias"], run: addBias),
        KernelCheck(kernels: ["argmax"], run: argmax),
    ]

    /// Tokens and the width of SmolLM2-135M.
    private static let (tokens, width) = (7, 576)
    /// The roundings of one element of an activation: its exponential and a few products.
    private static let activationTerms = 16

    @Sendable private static func rmsNorm() -> [KernelDifference] {
        var generator = SeededGenerator(seed: 1)
        let (x, weight) = (generator.floats(tokens * width), generator.floats(width))
        let dy = generator.floats(x.count)
        let (y, rstd) = (FloatBuffer(count: x.count), FloatBuffer(count: tokens))
        let dx = FloatBuffer(count: x.count)
        Kernels.rmsNorm(
            x: x.pointer, weight: weight.pointer, tokens: tokens, width: width, epsilon: 1e-5,
            y: y.pointer, rstd: rstd.pointer)
        Kernels.rmsNormBackward(
            x: x.pointer, weight: weight.pointer, rstd: rstd.pointer, dy: dy.pointer,
            tokens: tokens, width: width, dx: dx.pointer)
        let forward = Reference.rmsNorm(
            x: x.doubles, weight: weight.doubles, tokens: tokens, epsilon: 1e-5)
        let backward = Reference.rmsNormBackward(
            x: x.doubles, weight: weight.doubles, rstd: forward.rstd, dy: dy.doubles,
            tokens: tokens)
        return [
            KernelDifference(y.doubles, forward.y, terms: width),
            KernelDifference(rstd.doubles, forward.rstd, terms: width),
            KernelDifference(dx.doubles, backward, terms: width),
        ]
    }

    @Sendable private static func layerNorm() -> [KernelDifference] {
        let width = 384
        var generator = SeededGenerator(seed: 2)
        let x = generator.floats(tokens * width)
        let (weight, bias) = (generator.floats(width), generator.floats(width))
        let y = FloatBuffer(count: x.count)
        Kernels.layerNorm(
            x: x.pointer, weight: weight.pointer, bias: bias.pointer, tokens: tokens, width: width,
            epsilon: 1e-12, y: y.pointer)
        let expected = Reference.layerNorm(
            x: x.doubles, weight: weight.doubles, bias: bias.doubles, tokens: tokens,
            epsilon: 1e-12)
        return [KernelDifference(y.doubles, expected, terms: width)]
    }

    @Sendable private static func rope() -> [KernelDifference] {
        let (heads, headDim) = (9, 64)
        var generator = SeededGenerator(seed: 3)
        let x = generator.floats(tokens * heads * headDim)
        let positions = AlignedBuffer<Int32>((0..<tokens).map { Int32($0 * $0 * 97) })
        let frequencies = generator.floats(headDim / 2, in: 0...1)
        let expected = Reference.rope(
            x.doubles, positions: positions.array, frequencies: frequencies.array, heads: heads,
            inverse: false)
        Kernels.rope(
            x.pointer, positions: positions.pointer, frequencies: frequencies.pointer,
            tokens: tokens, heads: heads, headDim: headDim)
        return [KernelDifference(x.doubles, expected, terms: 4)]
    }

    @Sendable private static func swiGLU() -> [KernelDifference] {
        var generator = SeededGenerator(seed: 4)
        let gate = generator.floats(tokens * width, in: -9...9)
        let up = generator.floats(gate.count)
        let out = FloatBuffer(count: gate.count)
        Kernels.swiGLU(
            gate: gate.pointer, up: up.pointer, tokens: tokens, width: width, out: out.pointer)
        let expected = Reference.swiGLU(gate: gate.doubles, up: up.doubles)
        return [KernelDifference(out.doubles, expected, terms: activationTerms)]
    }

    @Sendable private static func swiGLUBackward() -> [KernelDifference] {
        var generator = SeededGenerator(seed: 5)
        let gate = generator.floats(tokens * width, in: -9...9)
        let (up, dout) = (generator.floats(gate.count), generator.floats(gate.count))
        let (dgate, dup) = (FloatBuffer(count: gate.count), FloatBuffer(count: gate.count))
        Kernels.swiGLUBackward(
            gate: gate.pointer, up: up.pointer, dout: dout.pointer, count: gate.count,
            dgate: dgate.pointer, dup: dup.pointer)
        let expected = Reference.swiGLUBackward(
            gate: gate.doubles, up: up.doubles, dout: dout.doubles)
        return [
            KernelDifference(dgate.doubles, expected.dgate, terms: activationTerms),
            KernelDifference(dup.doubles, expected.dup, terms: activationTerms),
        ]
    }

    @Sendable private static func gelu() -> [KernelDifference] {
        var generator = SeededGenerator(seed: 6)
        let x = generator.floats(tokens * width, in: -6...6)
        let out = FloatBuffer(count: x.count)
        Kernels.gelu(x: x.pointer, count: x.count, out: out.pointer)
        return [
            KernelDifference(out.doubles, Reference.gelu(x.doubles), terms: activationTerms)
        ]
    }

    @Sendable private static func add() -> [KernelDifference] {
        var generator = SeededGenerator(seed: 7)
        let (y, x) = (generator.floats(tokens * width), generator.floats(tokens * width))
        let expected = Reference.add(y.doubles, x.doubles)
        Kernels.add(y.pointer, x.pointer, count: x.count)
        return [KernelDifference(y.doubles, expected, terms: 1)]
    }

    @Sendable private static func addBias() -> [KernelDifference] {
        var generator = SeededGenerator(seed: 8)
        let (y, bias) = (generator.floats(tokens * width), generator.floats(width))
        let expected = Reference.addBias(y.doubles, bias: bias.doubles)
        Kernels.addBias(y.pointer, bias: bias.pointer, tokens: tokens, width: width)
        return [KernelDifference(y.doubles, expected, terms: 1)]
    }

    @Sendable private static func argmax() -> [KernelDifference] {
        var generator = SeededGenerator(seed: 9)
        let logits = generator.floats(49152)
        let index = Kernels.argmax(logits.pointer, count: logits.count)
        return [
            KernelDifference(exactly: [Double(index)], [Double(Reference.argmax(logits.doubles))])
        ]
    }
}
