import CircadiaTestSupport

import CircadiaKernels
import ReferenceKernels

extension CrossCheck {
    /// Products with packed matrices, both ways.
    static let matmulChecks = [
        CrossCheck(kernels: ["matmul_f32"], cases: matmulCases(.exact)),
        CrossCheck(kernels: ["matmul_bf16"], cases: matmulCases(.bf16)),
        CrossCheck(
            kernels: ["matmul_int8", "quantize_int8"],
            cases: matmulCases(.int8) + matmulCases(.int8x2)),
        CrossCheck(kernels: ["matmul_transposed_f32"], cases: transposedCases(.exact)),
        CrossCheck(kernels: ["matmul_transposed_bf16"], cases: transposedCases(.bf16)),
    ]

    /// A matrix as it lies in a checkpoint, and the numbers that it stands for.
    private struct Weights: Sendable {
        /// Rows, columns, bits, group size and the scales' dtype.
        let integers: [Int]
        /// Words (or dense values), scales and biases.
        let operands: [Operand]
        let values: [Double]
        /// `|scale| · q + |bias|`: the terms of a weight, which may cancel.
        let sizes: [Double]
    }

    private static func weights(
        rows: Int, columns: Int, bits: Int, groupSize: Int, format: FloatFormat, seed: UInt64
    ) -> Weights {
        var generator = SplitMix64(seed: seed)
        let integers = [rows, columns, bits, groupSize, format.number]
        if bits == 32 {
            let dense = generator.floats(rows * columns)
            return Weights(
                integers: integers, operands: [.input(dense), .absent, .absent],
                values: dense.doubles, sizes: dense.doubles.magnitudes)
        }
        let q = (0..<rows * columns).map { _ in
            UInt8.random(in: 0...UInt8(1 << bits - 1), using: &generator)
        }
        // Steps of 2^-10, so that every format holds them exactly; some scales are negative.
        let groups = rows * columns / groupSize
        let steps = (0..<2 * groups).map { _ in Float(Int.random(in: -127...127, using: &generator))
        }
        let scales = steps[..<groups].map { $0 / 1024 }
        let biases = steps[groups...].map { $0 / 64 }
        var words = [Int32](repeating: 0, count: rows * columns * bits / 32)
        for (index, value) in q.enumerated() {
            words[index * bits / 32] |= Int32(value) << Int32(index * bits % 32)
        }
        let matrix = Reference.AffineMatrix(
            rows: rows, columns: columns, groupSize: groupSize, values: q, scales: scales.doubles,
            biases: biases.doubles)
        var sizes = matrix
        sizes.scales = matrix.scales.magnitudes
        sizes.biases = matrix.biases.magnitudes
        return Weights(
            integers: integers,
            operands: [.input(words), .input(scales, format), .input(biases, format)],
            values: matrix.dequantized, sizes: sizes.dequantized)
    }

    private static let formats: [Format] = [
        (4, 32, .f16), (4, 64, .bf16), (4, 128, .f32), (8, 32, .f16), (8, 64, .f32),
        (8, 128, .bf16), (32, 0, .f32),
    ]

    private typealias Shape = (tokens: Int, rows: Int, columns: Int)
    private typealias Format = (bits: Int, groupSize: Int, format: FloatFormat)

    /// Tokens around every tile's width, rows around a block's.
    private static let shapes: [Shape] = {
        var shapes: [Shape] = [(0, 16, 128), (1, 192, 640)]
        for tokens in [1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 23, 24, 25, 37] {
            shapes.append((tokens, 33, 128))
        }
        for rows in [1, 15, 16, 17, 32, 97] { shapes.append((5, rows, 256)) }
        // From 64 tokens on a Mac's f32 products go to Accelerate, in panels of 256 × 1024.
        shapes += [(63, 33, 128), (64, 33, 128), (65, 273, 1152)]
        return shapes
    }()

    private static func matmulCases(_ precision: Precision) -> [CrossCheckCase] {
        var cases: [CrossCheckCase] = []
        for format in formats {
            for shape in shapes {
                for accumulate in [false, true] {
                    cases.append(matmul(precision, shape, format, accumulate: accumulate))
                }
            }
        }
        if precision != .exact { return cases }
        return cases + [matmul(.exact, (5, 19, 37), (32, 0, .f32), accumulate: false)]
    }

    private static func transposedCases(_ precision: Precision) -> [CrossCheckCase] {
        var cases: [CrossCheckCase] = []
        for format in formats {
            for shape in shapes {
                for accumulate in [false, true] {
                    cases.append(transposed(precision, shape, format, accumulate: accumulate))
                }
            }
        }
        return cases
    }

    private static func matmul(
        _ precision: Precision, _ shape: Shape, _ format: Format, accumulate: Bool
    ) -> CrossCheckCase {
        let (tokens, rows, columns) = shape
        let seed = UInt64(tokens * 1000 + rows)
        let w = weights(
            rows: rows, columns: columns, bits: format.bits, groupSize: format.groupSize,
            format: format.format, seed: seed)
        var generator = SplitMix64(seed: seed + 1)
        let x = generator.floats(tokens * columns)
        let y = generator.floats(tokens * rows)
        let label =
            "\(format.bits) bits/\(format.groupSize) \(format.format), "
            + "\(precision), \(tokens) × \(columns) → \(rows)"
            + "\(accumulate ? ", accumulating" : ""), seed \(seed)"
        let call = KernelCall(
            .matmul, integers: [precision.number, tokens, accumulate ? 1 : 0] + w.integers,
            operands: [.input(x)] + w.operands
                + [accumulate ? .output(y) : .output(count: y.count)])
        return CrossCheckCase(label: label, call: call) {
            // 8 bits: the same integers, so the f32 sums over the groups alone may differ.
            let digits = format.bits == 32 ? 0 : precision.digits
            return [
                expectedProduct(
                    digits > 0
                        ? Reference.roundedToInt8(
                            x.doubles, groupSize: format.groupSize, digits: digits)
                        : x.doubles,
                    w.values, sizes: digits > 0 ? w.sizes : w.values.magnitudes, tokens: tokens,
                    rows: rows, columns: columns, initial: accumulate ? y.doubles : nil,
                    precision: precision)
            ]
        }
    }

    /// `x · wᵀ` and its tolerance; `sizes` are the absolute values that the roundings of a weight's
    /// terms are relative to. bf16: each factor is off by 2^-9 of itself at most.
    private static func expectedProduct(
        _ x: [Double], _ w: [Double], sizes: [Double], tokens: Int, rows: Int, columns: Int,
        initial: [Double]?, precision: Precision
    ) -> Expected {
        let exact = Reference.matmul(x: x, tokens: tokens, w: w, rows: rows, columns: columns)
        let size = Reference.matmul(
            x: x.magnitudes, tokens: tokens, w: sizes, rows: rows, columns: columns)
        var values = exact
        if let initial { values = Reference.add(values, initial) }
        return Expected(values) { index in
            let (t, row) = (index / rows, index % rows)
            let start = initial.map { abs($0[index]) } ?? 0
            var tolerance = Comparison.sumTolerance(
                terms: columns, magnitude: size[index] + start)
            switch precision {
            case .exact: break
            case .bf16:
                // Two factors of relative error 2^-9 each (2^-9.8 rms): a walk over the columns.
                var squares = 0.0
                for i in 0..<columns {
                    let product = x[t * columns + i] * w[row * columns + i]
                    squares += product * product
                }
                tolerance += 6 * 0x1p-9 * squares.squareRoot()
            case .int8, .int8x2: break  // of bits 32: as exact
            }
            return tolerance
        }
    }

    private static func transposed(
        _ precision: Precision, _ shape: Shape, _ format: Format, accumulate: Bool
    ) -> CrossCheckCase {
        let (tokens, rows, columns) = shape
        let seed = UInt64(tokens * 1000 + rows)
        let w = weights(
            rows: rows, columns: columns, bits: format.bits, groupSize: format.groupSize,
            format: format.format, seed: seed)
        var generator = SplitMix64(seed: seed + 2)
        let dy = generator.floats(tokens * rows)
        let dx = generator.floats(tokens * columns)
        let label =
            "transposed, \(format.bits) bits/\(format.groupSize) \(format.format), "
            + "\(tokens) × \(rows) → \(columns)\(accumulate ? ", accumulating" : ""), seed \(seed)"
        let call = KernelCall(
            .matmulTransposed,
            integers: [precision.number, tokens, accumulate ? 1 : 0] + w.integers,
            operands: [.input(dy)] + w.operands
                + [accumulate ? .output(dx) : .output(count: dx.count)])
        return CrossCheckCase(label: label, call: call) {
            [
                expectedProduct(
                    dy.doubles, Reference.transposed(w.values, rows: rows, columns: columns),
                    sizes: Reference.transposed(
                        w.values.magnitudes, rows: rows, columns: columns),
                    tokens: tokens, rows: columns, columns: rows,
                    initial: accumulate ? dx.doubles : nil, precision: precision)
            ]
        }
    }
}
