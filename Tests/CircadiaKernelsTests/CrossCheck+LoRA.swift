import CircadiaKernels
import CircadiaTestSupport
import ReferenceKernels

extension CrossCheck {
    /// LoRA forward and backward: three skinny products.
    static let loraChecks = [
        CrossCheck(
            kernels: ["lora_down", "lora_up", "lora_outer"],
            cases: [1, 3, 7, 8, 9, 16, 17].map {
                lora(tokens: 5, inputs: 33, outputs: 17, rank: $0)
            }
                + [1, 7, 8, 15, 16, 17, 31, 64, 65].map {
                    lora(tokens: 7, inputs: $0, outputs: $0 + 1, rank: 8)
                }
                + [
                    lora(tokens: 0, inputs: 16, outputs: 16, rank: 8),
                    lora(tokens: 1, inputs: 576, outputs: 192, rank: 8),
                    lora(tokens: 67, inputs: 192, outputs: 97, rank: 8),
                ])
    ]

    private static func lora(
        tokens: Int, inputs: Int, outputs: Int, rank: Int
    ) -> CrossCheckCase {
        var generator = SeededGenerator(seed: UInt64(inputs * 100 + rank))
        let x = generator.floats(tokens * inputs)
        let a = generator.floats(inputs * rank)
        let b = generator.floats(rank * outputs)
        let y = generator.floats(tokens * outputs)
        let dy = generator.floats(tokens * outputs)
        let xa = generator.floats(tokens * rank)
        let da = generator.floats(a.count)
        let db = generator.floats(b.count)
        let dx = generator.floats(x.count)
        return CrossCheckCase(label: "\(tokens) × \(inputs) → \(rank) → \(outputs)") { memory in
            Kernels.lora(
                x: memory.input(x), a: memory.input(a), b: memory.input(b), scale: 2.5,
                tokens: tokens, inputs: inputs, outputs: outputs, rank: rank,
                xa: memory.output(count: tokens * rank), y: memory.output(y))
            Kernels.loraBackward(
                x: memory.input(x), xa: memory.input(xa), a: memory.input(a), b: memory.input(b),
                dy: memory.input(dy), scale: 2.5, tokens: tokens, inputs: inputs, outputs: outputs,
                rank: rank, da: memory.output(da), db: memory.output(db), dx: memory.output(dx),
                workspace: memory.workspace)
            return memory.results
        } expected: {
            /// Values and, from absolute values alone, what their roundings are relative to.
            func all(_ of: (_ v: [Float]) -> [Double]) -> [[Double]] {
                let (x, a, b, xa, dy) = (of(x), of(a), of(b), of(xa), of(dy))
                let forward = Reference.lora(
                    x: x, a: a, b: b, scale: 2.5, tokens: tokens, rank: rank, y: of(y))
                let back = Reference.loraBackward(
                    x: x, xa: xa, a: a, b: b, dy: dy, scale: 2.5, tokens: tokens, rank: rank)
                return [
                    forward.xa, forward.y, Reference.add(of(da), back.da),
                    Reference.add(of(db), back.db), Reference.add(of(dx), back.dx),
                ]
            }
            let values = all { $0.doubles }
            let magnitudes = all { $0.doubles.magnitudes }
            let terms = [inputs, inputs + rank, tokens + outputs, tokens, outputs + rank]
            return values.indices.map { output in
                Expected(values[output]) {
                    Comparison.sumTolerance(
                        terms: terms[output], magnitude: magnitudes[output][$0])
                }
            }
        }
    }
}
