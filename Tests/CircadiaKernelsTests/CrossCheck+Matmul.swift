import CircadiaKernels
import CircadiaTestSupport
import ReferenceKernels

extension CrossCheck {
    /// Products with packed matrices, both ways.
    static let matmulChecks = [
        CrossCheck(kernels: ["matmul_f32"], cases: matmulCases(.exact)),
        CrossCheck(kernels: ["matmul_bf16"], cases: matmulCases(.bf16)),
        CrossCheck(kernels: ["matmul_int8", "quantize_int8"], cases: matmulCases(.int8)),
        CrossCheck(kernels: ["matmul_transposed_f32"], cases: transposedCases(.exact)),
        CrossCheck(kernels: ["matmul_transposed_bf16"], cases: transposedCases(.bf16)),
    ]

    /// One packed matrix and the numbers that it stands for.
    private struct Weights: Sendable {
        let packed: WeightMatrix
        let values: [Double]
        /// `|scale| · q + |bias|`: the terms of a weight, which may cancel.
        let sizes: [Double]
    }

    private static func weights(
        rows: Int, columns: Int, bits: Int, groupSize: Int, format: FloatFormat, seed: UInt64
    ) -> Weights? {
        var generator = SeededGenerator(seed: seed)
        if bits == 32 {
            let dense = generator.floats(rows * columns)
            let packed = dense.withUnsafeBytes {
                WeightMatrix(dense: $0, format: .f32, rows: rows, columns: columns)
            }
            return Weights(
                packed: packed, values: dense.doubles, sizes: dense.doubles.magnitudes)
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
        var words = [UInt32](repeating: 0, count: rows * columns * bits / 32)
        for (index, value) in q.enumerated() {
            words[index * bits / 32] |= UInt32(value) << UInt32(index * bits % 32)
        }
        let packed = words.withUnsafeBytes { words in
            bytes(scales, format).withUnsafeBytes { scales in
                bytes(biases, format).withUnsafeBytes { biases in
                    try? WeightMatrix(
                        words: words, scales: scales, biases: biases, scaleFormat: format,
                        rows: rows, columns: columns, bits: bits, groupSize: groupSize)
                }
            }
        }
        let matrix = Reference.AffineMatrix(
            rows: rows, columns: columns, groupSize: groupSize, values: q, scales: scales.doubles,
            biases: biases.doubles)
        var sizes = matrix
        sizes.scales = matrix.scales.magnitudes
        sizes.biases = matrix.biases.magnitudes
        return packed.map {
            Weights(packed: $0, values: matrix.dequantized, sizes: sizes.dequantized)
        }
    }

    /// Numbers that `format` holds exactly, as its bytes.
    private static func bytes(_ values: [Float], _ format: FloatFormat) -> [UInt8] {
        values.flatMap { value in
            switch format {
            case .f32: withUnsafeBytes(of: value.bitPattern) { Array($0) }
            case .bf16: withUnsafeBytes(of: UInt16(value.bitPattern >> 16)) { Array($0) }
            case .f16: withUnsafeBytes(of: halfBits(value)) { Array($0) }
            }
        }
    }

    /// The bits of a half for a number that is one, found by trying them all.
    private static func halfBits(_ value: Float) -> UInt16 { halves[value] ?? 0 }
    private static let halves: [Float: UInt16] = {
        var table: [Float: UInt16] = [0: 0]
        for bits in 1..<UInt16(0x7c00) {
            let value = Float(Reference.half(bits: bits))
            table[value] = bits
            table[-value] = bits | 0x8000
        }
        return table
    }()

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
        return shapes
    }()

    private static func matmulCases(_ precision: Precision) -> [CrossCheckCase] {
        var cases: [CrossCheckCase] = []
        for format in formats {
            for shape in shapes {
                for accumulate in [false, true] {
                    cases += [matmul(precision, shape, format, accumulate: accumulate)]
                        .compactMap { $0 }
                }
            }
        }
        if precision != .exact { return cases }
        return cases
            + [matmul(.exact, (5, 19, 37), (32, 0, .f32), accumulate: false)]
            .compactMap { $0 }
    }

    private static func transposedCases(_ precision: Precision) -> [CrossCheckCase] {
        var cases: [CrossCheckCase] = []
        for format in formats {
            for shape in shapes {
                for accumulate in [false, true] {
                    cases += [transposed(precision, shape, format, accumulate: accumulate)]
                        .compactMap { $0 }
                }
            }
        }
        return cases
    }

    private static func matmul(
        _ precision: Precision, _ shape: Shape, _ format: Format, accumulate: Bool
    ) -> CrossCheckCase? {
        let (tokens, rows, columns) = shape
        let seed = UInt64(tokens * 1000 + rows)
        guard
            let w = weights(
                rows: rows, columns: columns, bits: format.bits, groupSize: format.groupSize,
                format: format.format, seed: seed)
        else { return nil }
        var generator = SeededGenerator(seed: seed + 1)
        let x = generator.floats(tokens * columns)
        let y = generator.floats(tokens * rows)
        let label =
            "\(format.bits) bits/\(format.groupSize) \(format.format), "
            + "\(tokens) × \(columns) → \(rows)\(accumulate ? ", accumulating" : ""), seed \(seed)"
        return CrossCheckCase(label: label) { memory in
            let out = accumulate ? memory.output(y) : memory.output(count: y.count)
            Kernels.matmul(
                precision, x: memory.input(x), tokens: tokens, weights: [w.packed], outputs: [out],
                accumulate: accumulate, workspace: memory.workspace)
            return memory.results
        } expected: {
            // 8 bits: the same integers, so the f32 sums over the groups alone may differ.
            let isInt8 = precision == .int8 && format.bits != 32
            return [
                expectedProduct(
                    isInt8
                        ? Reference.roundedToInt8(x.doubles, groupSize: format.groupSize)
                        : x.doubles,
                    w.values, sizes: isInt8 ? w.sizes : w.values.magnitudes, tokens: tokens,
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
            case .int8: break  // of bits 32: as exact
            }
            return tolerance
        }
    }

    private static func transposed(
        _ precision: Precision, _ shape: Shape, _ format: Format, accumulate: Bool
    ) -> CrossCheckCase? {
        let (tokens, rows, columns) = shape
        let seed = UInt64(tokens * 1000 + rows)
        guard
            let w = weights(
                rows: rows, columns: columns, bits: format.bits, groupSize: format.groupSize,
                format: format.format, seed: seed)
        else { return nil }
        var generator = SeededGenerator(seed: seed + 2)
        let dy = generator.floats(tokens * rows)
        let dx = generator.floats(tokens * columns)
        let label =
            "transposed, \(format.bits) bits/\(format.groupSize) \(format.format), "
            + "\(tokens) × \(rows) → \(columns)\(accumulate ? ", accumulating" : ""), seed \(seed)"
        return CrossCheckCase(label: label) { memory in
            let out = accumulate ? memory.output(dx) : memory.output(count: dx.count)
            Kernels.matmulTransposed(
                precision, dy: memory.input(dy), tokens: tokens, weight: w.packed, dx: out,
                accumulate: accumulate, workspace: memory.workspace)
            return memory.results
        } expected: {
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
