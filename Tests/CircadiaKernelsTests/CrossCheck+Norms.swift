import CircadiaTestSupport

import CircadiaKernels
import ReferenceKernels

extension CrossCheck {
    /// RMSNorm forward and backward, LayerNorm.
    static let normChecks = [
        CrossCheck(kernels: ["rmsnorm"], cases: shapes(rmsNorm)),
        CrossCheck(kernels: ["rmsnorm_backward_x"], cases: shapes(rmsNormBackward)),
        CrossCheck(kernels: ["layernorm"], cases: shapes(layerNorm)),
    ]

    /// Cases at every width with some rows, and with enough rows for eight threads.
    private static func shapes(
        _ make: (_ tokens: Int, _ width: Int, _ seed: UInt64) -> CrossCheckCase
    ) -> [CrossCheckCase] {
        widths.enumerated().map { make(3, $1, UInt64($0)) }
            + [make(0, 16, 90), make(1, 576, 91), make(131, 48, 92)]
    }

    private static func rmsNorm(tokens: Int, width: Int, seed: UInt64) -> CrossCheckCase {
        var generator = SplitMix64(seed: seed)
        let x = generator.floats(tokens * width, in: -3...3)
        let weight = generator.floats(width)
        let call = KernelCall(
            .rmsNorm, integers: [tokens, width], floats: [1e-5],
            operands: [
                .input(x), .input(weight), .output(count: x.count), .output(count: tokens),
            ])
        return CrossCheckCase(label: "\(tokens) × \(width), seed \(seed)", call: call) {
            let (y, rstd) = Reference.rmsNorm(
                x: x.doubles, weight: weight.doubles, tokens: tokens, epsilon: Double(Float(1e-5)))
            // A root halves the relative error of the sum below it.
            return [
                Expected(y) { Comparison.sumTolerance(terms: width, magnitude: abs(y[$0])) },
                Expected(rstd) { Comparison.sumTolerance(terms: width, magnitude: rstd[$0]) },
            ]
        }
    }

    private static func rmsNormBackward(tokens: Int, width: Int, seed: UInt64) -> CrossCheckCase {
        var generator = SplitMix64(seed: seed)
        let x = generator.floats(tokens * width, in: -3...3)
        let dy = generator.floats(tokens * width)
        let initial = generator.floats(tokens * width)
        let weight = generator.floats(width)
        let rstd = generator.floats(tokens, in: 0.2...2)
        let call = KernelCall(
            .rmsNormBackward, integers: [tokens, width],
            operands: [.input(x), .input(weight), .input(rstd), .input(dy), .output(initial)])
        return CrossCheckCase(label: "\(tokens) × \(width), seed \(seed)", call: call) {
            let dx = Reference.rmsNormBackward(
                x: x.doubles, weight: weight.doubles, rstd: rstd.doubles, dy: dy.doubles,
                tokens: tokens)
            var magnitude = [Double](repeating: 0, count: dx.count)
            for t in 0..<tokens {
                let row = t * width..<(t + 1) * width
                let r = Double(rstd[t])
                let g = row.map { abs(Double(weight[$0 - t * width]) * Double(dy[$0])) }
                let along = zip(row, g).reduce(0) { $0 + $1.1 * abs(Double(x[$1.0])) }
                for i in row {
                    let part = r * r * r / Double(width) * abs(Double(x[i])) * along
                    magnitude[i] = r * g[i - t * width] + part + abs(Double(initial[i]))
                }
            }
            return [
                Expected(zip(dx, initial).map { $0 + Double($1) }) {
                    Comparison.sumTolerance(terms: width, magnitude: magnitude[$0])
                }
            ]
        }
    }

    private static func layerNorm(tokens: Int, width: Int, seed: UInt64) -> CrossCheckCase {
        var generator = SplitMix64(seed: seed)
        let x = generator.floats(tokens * width, in: -2...3)
        let weight = generator.floats(width)
        let bias = generator.floats(width)
        let call = KernelCall(
            .layerNorm, integers: [tokens, width], floats: [1e-5],
            operands: [.input(x), .input(weight), .input(bias), .output(count: x.count)])
        return CrossCheckCase(label: "\(tokens) × \(width), seed \(seed)", call: call) {
            let y = Reference.layerNorm(
                x: x.doubles, weight: weight.doubles, bias: bias.doubles, tokens: tokens,
                epsilon: Double(Float(1e-5)))
            return [
                Expected(y) { index in
                    // The mean is off by ε of the row's absolute mean, and is then scaled by rstd.
                    let t = index / width
                    let row = x[t * width..<(t + 1) * width].map(Double.init)
                    let mean = row.reduce(0, +) / Double(width)
                    let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
                    let size = row.reduce(0) { $0 + abs($1) } / Double(width)
                    let scale = abs(Double(weight[index % width])) / (variance + 1e-5).squareRoot()
                    let magnitude = (abs(row[index % width]) + 2 * size) * scale
                    return Comparison.sumTolerance(
                        terms: width, magnitude: magnitude + abs(Double(bias[index % width])))
                }
            ]
        }
    }
}
