import CircadiaFormats
import CircadiaKernels
import CircadiaModel
import ReferenceKernels

extension KernelCheck {
    /// Products with packed matrices, both ways.
    static let matmulChecks = [
        KernelCheck(kernels: ["quantize_int8", "matmul_int8"]) {
            products(.int8) + products(.int8x2)
        },
        KernelCheck(kernels: ["matmul_f32"]) { products(.exact) },
        KernelCheck(kernels: ["matmul_bf16"]) { products(.bf16) },
        KernelCheck(kernels: ["matmul_transposed_f32"]) { transposedProducts(.exact) },
        KernelCheck(kernels: ["matmul_transposed_bf16"]) { transposedProducts(.bf16) },
    ]

    /// bf16 keeps 8 bits: two factors, each off by 2⁻⁹ of itself.
    private static func epsilon(_ precision: Precision) -> Double {
        precision == .bf16 ? 0x1p-8 / 4 : Double(Float.ulpOfOne)
    }

    /// The query projection of SmolLM2-135M for one token and for several, and the key projection
    /// of Llama-3.2-3B.
    private static func products(_ precision: Precision) -> [KernelDifference] {
        [(1, 576, 576, 32), (13, 576, 576, 32), (1, 1024, 3072, 64)].map {
            tokens, rows, columns, groupSize in
            let (weight, values) = weights(rows: rows, columns: columns, groupSize: groupSize)
            var generator = SeededGenerator(seed: 2)
            let x = generator.floats(tokens * columns)
            let y = FloatBuffer(count: tokens * rows)
            Kernels.matmul(
                precision, x: x.pointer, tokens: tokens, weights: [weight],
                outputs: [y.pointer], workspace: Workspace())
            let input =
                switch precision {
                case .exact, .bf16: x.doubles
                case .int8: Reference.roundedToInt8(x.doubles, groupSize: groupSize)
                case .int8x2:
                    Reference.roundedToInt8(x.doubles, groupSize: groupSize, digits: 2)
                }
            return KernelDifference(
                y.doubles,
                Reference.matmul(x: input, tokens: tokens, w: values, rows: rows, columns: columns),
                terms: columns, epsilon: epsilon(precision))
        }
    }

    private static func transposedProducts(_ precision: Precision) -> [KernelDifference] {
        let (tokens, rows, columns) = (13, 576, 192)
        let (weight, values) = weights(rows: rows, columns: columns, groupSize: 32)
        var generator = SeededGenerator(seed: 3)
        let dy = generator.floats(tokens * rows)
        let dx = FloatBuffer(count: tokens * columns)
        Kernels.matmulTransposed(
            precision, dy: dy.pointer, tokens: tokens, weight: weight, dx: dx.pointer,
            workspace: Workspace())
        let expected = Reference.product(
            dy.doubles, values, rows: tokens, inner: rows, columns: columns)
        return [
            KernelDifference(dx.doubles, expected, terms: rows, epsilon: epsilon(precision))
        ]
    }

    /// A 4-bit matrix with bf16 scales, and its dequantised numbers.
    private static func weights(
        rows: Int, columns: Int, groupSize: Int
    ) -> (WeightMatrix, values: [Double]) {
        var generator = SeededGenerator(seed: 1)
        let quantized = AffineQuantizer.quantize(
            generator.floats(rows * columns).array, rows: rows, columns: columns, bits: 4,
            groupSize: groupSize)
        let scales = quantized.scales.map(HalfPrecision.bfloat)
        let biases = quantized.biases.map(HalfPrecision.bfloat)
        let matrix = Reference.AffineMatrix(
            rows: rows, columns: columns, groupSize: groupSize,
            values: quantized.words.flatMap { word in (0..<8).map { UInt8(word >> (4 * $0) & 15) }
            },
            scales: scales.map { Double(HalfPrecision.float(bfloat: $0)) },
            biases: biases.map { Double(HalfPrecision.float(bfloat: $0)) })
        let packed = quantized.words.withUnsafeBytes { words in
            scales.withUnsafeBytes { scales in
                biases.withUnsafeBytes { biases in
                    try? WeightMatrix(
                        words: words, scales: scales, biases: biases, scaleFormat: .bf16,
                        rows: rows, columns: columns, bits: 4, groupSize: groupSize)
                }
            }
        }
        guard let packed else { preconditionFailure("4 bits in groups of \(groupSize) are known") }
        return (packed, matrix.dequantized)
    }

    /// Embeddings as wide as MiniLM's.
}
