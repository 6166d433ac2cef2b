import CircadiaTestSupport
import Testing

import CircadiaKernels

extension KernelSuite {
    /// Products that share an input and its rounding, and tokens that share a call.
    @Suite struct FusedMatmulTests {
        /// Matrices of different heights and formats, their columns rounded in groups of 32, 32, 64 and
        /// not at all.
        private static func matrices(columns: Int) throws -> [WeightMatrix] {
            var generator = SplitMix64(seed: 21)
            return try [(97, 4, 32), (33, 8, 32), (48, 4, 64), (17, 32, 0)].map {
                rows, bits, groupSize in
                if bits == 32 {
                    return generator.floats(rows * columns).withUnsafeBytes {
                        WeightMatrix(dense: $0, format: .f32, rows: rows, columns: columns)
                    }
                }
                let words = (0..<rows * columns * bits / 32).map { _ in
                    UInt32.random(in: .min ... .max, using: &generator)
                }
                let scales = generator.floats(rows * columns / groupSize)
                let biases = generator.floats(rows * columns / groupSize)
                return try words.withUnsafeBytes { words in
                    try scales.withUnsafeBytes { scales in
                        try biases.withUnsafeBytes { biases in
                            try WeightMatrix(
                                words: words, scales: scales, biases: biases, scaleFormat: .f32,
                                rows: rows, columns: columns, bits: bits, groupSize: groupSize)
                        }
                    }
                }
            }
        }

        /// Runs `body` with the matrices, 17 tokens of input, and what `.int8` and `.int8x2` give for each
        /// matrix and token alone: `[matrix][token]`.
        private static func withSingles(
            _ body: (
                _ matrices: [WeightMatrix], _ x: [Float], _ one: [[[Float]]], _ two: [[[Float]]]
            ) throws -> Void
        ) throws {
            let columns = 256
            let matrices = try Self.matrices(columns: columns)
            var generator = SplitMix64(seed: 22)
            let x = generator.floats(17 * columns)
            func singles(_ precision: Precision) -> [[[Float]]] {
                matrices.map { matrix in
                    (0..<17).map { token in
                        let row = Array(x[token * columns..<(token + 1) * columns])
                        return multiply(precision, row, [matrix], finer: 0..<0)[0]
                    }
                }
            }
            try body(matrices, x, singles(.int8), singles(.int8x2))
        }

        private static func multiply(
            _ precision: Precision, _ x: [Float], _ matrices: [WeightMatrix], finer: Range<Int>
        ) -> [[Float]] {
            let tokens = x.count / matrices[0].columns
            let outputs = matrices.map { FloatBuffer(count: tokens * $0.rows) }
            x.withUnsafeBufferPointer { x in
                guard let x = x.baseAddress else { return }
                Kernels.matmul(
                    precision, x: x, tokens: tokens, weights: matrices, finer: finer,
                    outputs: outputs.map(\.pointer), workspace: Workspace())
            }
            return outputs.map(\.array)
        }

        /// Whatever shares a call with a product, its bits are those of one token and one matrix.
        @Test(arguments: ["scalar", "avx2", "avx512", "neon"])
        func whatSharesACallChangesNoBit(_ isa: String) throws {
            let choices = KernelRuntime.isaChoices.split(separator: ", ").map(String.init)
            guard choices.contains(isa) else {
                try Test.cancel("this processor cannot run \(isa)")
            }
            try KernelRuntime.withISA(isa) {
                try Self.withSingles { matrices, x, one, two in
                    for threads in [1, 2, 8] {
                        KernelRuntime.withThreads(threads) {
                            Self.check(matrices, x, one, two, threads: threads)
                        }
                    }
                }
            }
        }

        /// Compares calls of 1 to 17 tokens with the results of `withSingles`.
        private static func check(
            _ matrices: [WeightMatrix], _ x: [Float], _ one: [[[Float]]], _ two: [[[Float]]],
            threads: Int
        ) {
            for tokens in 1...17 {
                let finer = tokens % 4..<4
                let found = multiply(
                    .int8, Array(x[..<(tokens * matrices[0].columns)]), matrices, finer: finer)
                // Dense matrices (the last one) sum in another order for one token.
                for m in 0..<3 {
                    let expected = finer.contains(m) ? two[m] : one[m]
                    #expect(
                        found[m] == Array(expected[..<tokens].joined()),
                        "matrix \(m), \(tokens) tokens, \(threads) threads")
                }
            }
        }
    }
}
