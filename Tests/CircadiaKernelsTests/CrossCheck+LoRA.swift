import CircadiaTestSupport

import CircadiaKernels
import ReferenceKernels

extension CrossCheck {
    /// LoRA forward and backward: three skinny products.
    static let loraChecks = [
        CrossCheck(
            kernels: ["lora_down", "lora_up", "lora_outer"],
            cases: shapes.flatMap { [forward($0), backward($0)] })
    ]

    private typealias Shape = (tokens: Int, inputs: Int, outputs: Int, rank: Int)

    /// Ranks and widths around the widths of vectors.
    private static let shapes: [Shape] =
        [1, 3, 7, 8, 9, 16, 17].map { (5, 33, 17, $0) }
        + [1, 7, 8, 15, 16, 17, 31, 64, 65].map { (7, $0, $0 + 1, 8) }
        + [(0, 16, 16, 8), (1, 576, 192, 8), (67, 192, 97, 8)]

    private static func forward(_ shape: Shape) -> CrossCheckCase {
        let (tokens, inputs, outputs, rank) = shape
        var generator = SplitMix64(seed: UInt64(inputs * 100 + rank))
        let x = generator.floats(tokens * inputs)
        let a = generator.floats(inputs * rank)
        let b = generator.floats(rank * outputs)
        let y = generator.floats(tokens * outputs)
        let call = KernelCall(
            .lora, integers: [tokens, inputs, outputs, rank], floats: [2.5],
            operands: [
                .input(x), .input(a), .input(b), .output(count: tokens * rank), .output(y),
            ])
        return CrossCheckCase(label: "\(tokens) × \(inputs) → \(rank) → \(outputs)", call: call) {
            outputsByReference(terms: [inputs, inputs + rank]) { number in
                let forward = Reference.lora(
                    x: x.map(number), a: a.map(number), b: b.map(number), scale: 2.5,
                    tokens: tokens, rank: rank, y: y.map(number))
                return [forward.xa, forward.y]
            }
        }
    }

    private static func backward(_ shape: Shape) -> CrossCheckCase {
        let (tokens, inputs, outputs, rank) = shape
        var generator = SplitMix64(seed: UInt64(inputs * 100 + rank) + 1)
        let x = generator.floats(tokens * inputs)
        let xa = generator.floats(tokens * rank)
        let a = generator.floats(inputs * rank)
        let b = generator.floats(rank * outputs)
        let dy = generator.floats(tokens * outputs)
        let da = generator.floats(a.count)
        let db = generator.floats(b.count)
        let dx = generator.floats(x.count)
        let call = KernelCall(
            .loraBackward, integers: [tokens, inputs, outputs, rank], floats: [2.5],
            operands: [
                .input(x), .input(xa), .input(a), .input(b), .input(dy), .output(da), .output(db),
                .output(dx),
            ])
        let label = "backward, \(tokens) × \(inputs) → \(rank) → \(outputs)"
        return CrossCheckCase(label: label, call: call) {
            outputsByReference(terms: [tokens + outputs, tokens, outputs + rank]) { number in
                let back = Reference.loraBackward(
                    x: x.map(number), xa: xa.map(number), a: a.map(number), b: b.map(number),
                    dy: dy.map(number), scale: 2.5, tokens: tokens, rank: rank)
                return [
                    Reference.add(da.map(number), back.da),
                    Reference.add(db.map(number), back.db),
                    Reference.add(dx.map(number), back.dx),
                ]
            }
        }
    }

    /// Values and, from absolute values alone, what the roundings of sums of `terms` are relative
    /// to.
    private static func outputsByReference(
        terms: [Int], _ compute: (_ number: (Float) -> Double) -> [[Double]]
    ) -> [Expected] {
        let (values, magnitudes) = (compute { Double($0) }, compute { abs(Double($0)) })
        return terms.indices.map { output in
            Expected(values[output]) {
                Comparison.sumTolerance(terms: terms[output], magnitude: magnitudes[output][$0])
            }
        }
    }
}
