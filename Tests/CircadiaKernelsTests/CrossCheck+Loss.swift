import CircadiaTestSupport

import CircadiaKernels
import ReferenceKernels

extension CrossCheck {
    /// Cross-entropy, sum of squares, Adam.
    static let lossChecks = [
        CrossCheck(
            kernels: ["cross_entropy"],
            cases: [1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 97, 5003].map {
                crossEntropy(tokens: 3, vocabulary: $0)
            } + [crossEntropy(tokens: 0, vocabulary: 9), crossEntropy(tokens: 19, vocabulary: 65)]),
        CrossCheck(kernels: ["sum_squares"], cases: (counts + [70_001]).map(sumSquares)),
        CrossCheck(
            kernels: ["adam"],
            cases: counts.map { adam(count: $0, corrects: true) }
                + [adam(count: 33, corrects: false)]),
    ]

    private static func crossEntropy(tokens: Int, vocabulary: Int) -> CrossCheckCase {
        var generator = SplitMix64(seed: UInt64(vocabulary))
        let logits = generator.floats(tokens * vocabulary, in: -12...12)
        let targets = (0..<tokens).map { Int32(($0 * 7 + vocabulary - 1) % vocabulary) }
        let call = KernelCall(
            .crossEntropy, integers: [tokens, vocabulary], floats: [0.125],
            operands: [
                .input(logits), .input(targets), .output(count: tokens),
                .output(count: logits.count),
            ])
        return CrossCheckCase(label: "\(tokens) × \(vocabulary)", call: call) {
            let (losses, gradient) = Reference.crossEntropy(
                logits: logits.doubles, targets: targets, vocabulary: vocabulary, rowScale: 0.125)
            // Logits up to 12 and their differences up to 24 are rounded to ε of themselves.
            let relative = Comparison.sumTolerance(terms: vocabulary, magnitude: 1) + 24 * epsilon
            return [
                Expected(losses) { relative + 4 * epsilon * losses[$0] },
                Expected(gradient) { index in
                    let isTarget = index % vocabulary == Int(targets[index / vocabulary])
                    let p = abs(gradient[index]) + (isTarget ? 0.125 : 0)
                    return relative * p + 1e-35
                },
            ]
        }
    }

    private static func sumSquares(count: Int) -> CrossCheckCase {
        var generator = SplitMix64(seed: UInt64(count) + 1)
        let x = generator.floats(count)
        let call = KernelCall(
            .sumSquares, integers: [count], operands: [.input(x), .returned])
        return CrossCheckCase(label: "\(count) elements", call: call) {
            // Summed in double.
            let sum = Reference.sumSquares(x.doubles)
            return [
                Expected([sum]) { _ in
                    Double.ulpOfOne * (Double(count).squareRoot() + 4) * sum
                }
            ]
        }
    }

    private static func adam(count: Int, corrects: Bool) -> CrossCheckCase {
        var generator = SplitMix64(seed: UInt64(count) + 2)
        let gradient = generator.floats(count)
        let parameter = generator.floats(count)
        let m = generator.floats(count, in: -0.1...0.1)
        let v = generator.floats(count, in: 0...0.1)
        var options = Kernels.AdamStep(learningRate: 1e-2, step: 3)
        options.weightDecay = 0.1
        options.gradientScale = 0.5
        options.usesBiasCorrection = corrects
        let step = options
        let call = KernelCall(
            .adam, integers: [step.step, corrects ? 1 : 0, count],
            floats: [
                step.learningRate, step.beta1, step.beta2, step.epsilon, step.weightDecay,
                step.gradientScale,
            ],
            operands: [.input(gradient), .output(parameter), .output(m), .output(v)])
        return CrossCheckCase(label: "\(count) elements, correction \(corrects)", call: call) {
            let reference = Reference.AdamStep(
                learningRate: Double(step.learningRate), beta1: Double(step.beta1),
                beta2: Double(step.beta2), epsilon: Double(step.epsilon),
                weightDecay: Double(step.weightDecay), gradientScale: Double(step.gradientScale),
                step: step.step, usesBiasCorrection: step.usesBiasCorrection)
            let new = Reference.adam(
                reference, gradient: gradient.doubles, parameter: parameter.doubles, m: m.doubles,
                v: v.doubles)
            let moment = { (i: Int) in
                0.9 * abs(Double(m[i])) + 0.05 * abs(Double(gradient[i]))
            }
            return [
                Expected(new.parameter) { i in
                    let kept = abs(Double(parameter[i]))
                    let moved = abs(new.parameter[i] - Double(parameter[i])) + 1e-3 * kept
                    // The step is off by as much as m is, which may have cancelled.
                    let cancelled = moment(i) / max(abs(new.m[i]), 1e-30)
                    // kept · (1 − decay) - step: the constant, the product and the difference are
                    // each rounded, to a quarter, a half and a half of ε.
                    return epsilon * (1.25 * kept + 12 * moved * max(1, cancelled))
                },
                Expected(new.m) { 3 * epsilon * moment($0) },
                Expected(new.v) { 4 * epsilon * new.v[$0] },
            ]
        }
    }
}
