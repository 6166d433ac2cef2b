import CircadiaKernels
import CircadiaModel
import ReferenceKernels

extension KernelCheck {
    /// The loss, LoRA and its optimiser.
    static let trainingChecks = [
        KernelCheck(kernels: ["cross_entropy"], run: crossEntropy),
        KernelCheck(kernels: ["lora_down", "lora_up", "lora_outer"], run: lora),
        KernelCheck(kernels: ["sum_squares"], run: sumSquares),
        KernelCheck(kernels: ["adam"], run: adam),
    ]

    @Sendable private static func crossEntropy() -> [KernelDifference] {
        let vocabulary = 49152
        var generator = SeededGenerator(seed: 1)
        let logits = generator.floats(2 * vocabulary, in: -8...8)
        let targets = AlignedBuffer<Int32>([17, 40_000])
        let (losses, gradient) = (FloatBuffer(count: 2), FloatBuffer(count: logits.count))
        Kernels.crossEntropy(
            logits: logits.pointer, targets: targets.pointer, tokens: 2, vocabulary: vocabulary,
            rowScale: 0.5, losses: losses.pointer, gradient: gradient.pointer)
        let expected = Reference.crossEntropy(
            logits: logits.doubles, targets: targets.array, vocabulary: vocabulary, rowScale: 0.5)
        // The targets' elements are thousands of times the others and would hide them.
        let others = gradient.doubles.indices.filter {
            $0 % vocabulary != Int(targets[$0 / vocabulary])
        }
        let (all, values) = (gradient.doubles, expected.gradient)
        return [
            KernelDifference(losses.doubles, expected.losses, terms: vocabulary),
            KernelDifference(all, values, terms: vocabulary),
            KernelDifference(others.map { all[$0] }, others.map { values[$0] }, terms: vocabulary),
        ]
    }

    /// Forward and backward through the adapter of a key projection.
    @Sendable private static func lora() -> [KernelDifference] {
        let (tokens, inputs, outputs, rank) = (13, 576, 192, 8)
        var generator = SeededGenerator(seed: 2)
        let x = generator.floats(tokens * inputs)
        let (a, b) = (generator.floats(inputs * rank), generator.floats(rank * outputs))
        let (y, dy) = (generator.floats(tokens * outputs), generator.floats(tokens * outputs))
        let xa = FloatBuffer(count: tokens * rank)
        let (da, db) = (FloatBuffer(count: a.count), FloatBuffer(count: b.count))
        let dx = FloatBuffer(count: x.count)
        let forward = Reference.lora(
            x: x.doubles, a: a.doubles, b: b.doubles, scale: 20, tokens: tokens, rank: rank,
            y: y.doubles)
        let backward = Reference.loraBackward(
            x: x.doubles, xa: forward.xa, a: a.doubles, b: b.doubles, dy: dy.doubles, scale: 20,
            tokens: tokens, rank: rank)
        Kernels.lora(
            x: x.pointer, a: a.pointer, b: b.pointer, scale: 20, tokens: tokens, inputs: inputs,
            outputs: outputs, rank: rank, xa: xa.pointer, y: y.pointer)
        Kernels.loraBackward(
            x: x.pointer, xa: xa.pointer, a: a.pointer, b: b.pointer, dy: dy.pointer, scale: 20,
            tokens: tokens, inputs: inputs, outputs: outputs, rank: rank, da: da.pointer,
            db: db.pointer, dx: dx.pointer, workspace: Workspace())
        return [
            KernelDifference(xa.doubles, forward.xa, terms: inputs),
            KernelDifference(y.doubles, forward.y, terms: inputs + rank),
            KernelDifference(da.doubles, backward.da, terms: tokens + outputs),
            KernelDifference(db.doubles, backward.db, terms: inputs + tokens),
            KernelDifference(dx.doubles, backward.dx, terms: outputs + rank),
        ]
    }

    @Sendable private static func sumSquares() -> [KernelDifference] {
        var generator = SeededGenerator(seed: 3)
        let x = generator.floats(70_001)
        // Summed in double.
        return [
            KernelDifference(
                [Kernels.sumSquares(x.pointer, count: x.count)],
                [Reference.sumSquares(x.doubles)], terms: x.count, epsilon: .ulpOfOne)
        ]
    }

    @Sendable private static func adam() -> [KernelDifference] {
        let count = 4609
        var generator = SeededGenerator(seed: 4)
        let (gradient, parameter) = (generator.floats(count), generator.floats(count))
        let (m, v) = (generator.floats(count), generator.floats(count, in: 0.1...1))
        let step = Kernels.AdamStep(learningRate: 1e-2, step: 3)
        let expected = Reference.adam(
            Reference.AdamStep(
                learningRate: Double(step.learningRate), beta1: Double(step.beta1),
                beta2: Double(step.beta2), epsilon: Double(step.epsilon), weightDecay: 0,
                gradientScale: 1, step: 3, usesBiasCorrection: true),
            gradient: gradient.doubles, parameter: parameter.doubles, m: m.doubles, v: v.doubles)
        Kernels.adam(
            step, gradient: gradient.pointer, count: count, parameter: parameter.pointer,
            m: m.pointer, v: v.pointer)
        return [
            KernelDifference(parameter.doubles, expected.parameter, terms: 4),
            KernelDifference(m.doubles, expected.m, terms: 4),
            KernelDifference(v.doubles, expected.v, terms: 4),
        ]
    }
}
