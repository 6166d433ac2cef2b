import CircadiaKernels
import CircadiaTestSupport
import ReferenceKernels

extension CrossCheck {
    /// Vector search and greedy choice.
    static let searchChecks = [
        CrossCheck(
            kernels: ["dot_rows"],
            cases: widths.map { dotRows(count: 5, width: $0) }
                + [0, 1, 3, 4, 15, 16, 17, 389].map { dotRows(count: $0, width: 24) }),
        CrossCheck(
            kernels: ["dot_rows_int8"],
            cases: widths.map { dotRowsInt8(count: 5, width: $0) }
                + [0, 1, 3, 4, 15, 16, 17, 389].map { dotRowsInt8(count: $0, width: 24) }),
        CrossCheck(
            kernels: ["dot_rows_bits"],
            cases: widths.map { dotRowsBits(count: 13, width: $0) }
                + [0, 1, 3, 7, 8, 9, 17, 2051].map { dotRowsBits(count: $0, width: 70) }),
        CrossCheck(kernels: ["argmax"], cases: argmaxCases),
    ]

    private static func dotRows(count: Int, width: Int) -> CrossCheckCase {
        var generator = SeededGenerator(seed: UInt64(count * 1000 + width))
        let vectors = generator.floats(count * width)
        let query = generator.floats(width)
        let call = KernelCall(
            .dotRows, integers: [count, width],
            operands: [.input(vectors), .input(query), .output(count: count)])
        return CrossCheckCase(label: "\(count) × \(width)", call: call) {
            let scores = Reference.dotRows(
                vectors: vectors.doubles, query: query.doubles, count: count)
            let sizes = Reference.dotRows(
                vectors: vectors.doubles.magnitudes, query: query.doubles.magnitudes, count: count)
            return [
                Expected(scores) { Comparison.sumTolerance(terms: width, magnitude: sizes[$0]) }
            ]
        }
    }

    private static func dotRowsInt8(count: Int, width: Int) -> CrossCheckCase {
        var generator = SeededGenerator(seed: UInt64(count * 1000 + width))
        // All of the range, its ends among them.
        func bytes(_ count: Int) -> [Int8] {
            generator.floats(count).map { Int8(clamping: Int(($0 * 160).rounded())) }
        }
        let vectors = bytes(count * width)
        let query = bytes(width)
        let scales = generator.floats(count)
        let queryScale: Float = 0.37
        let call = KernelCall(
            .dotRowsInt8, integers: [count, width], floats: [queryScale],
            operands: [.input(vectors), .input(scales), .input(query), .output(count: count)])
        return CrossCheckCase(label: "\(count) × \(width)", call: call) {
            let scores = Reference.dotRows(
                vectors: vectors.map(Double.init), scales: scales.doubles,
                query: query.map(Double.init), queryScale: Double(queryScale))
            // The sum is exact; it and two products are rounded.
            return [Expected(scores) { 3 * Double(Float.ulpOfOne) * abs(scores[$0]) + 1e-30 }]
        }
    }

    private static func dotRowsBits(count: Int, width: Int) -> CrossCheckCase {
        var generator = SeededGenerator(seed: UInt64(count * 1000 + width))
        let signs = (0..<count).map { _ in generator.floats(width).map { $0 >= 0 } }
        // All of the range, its ends among them.
        let query = generator.floats(width).map { max(-8, min(7, Int(($0 * 9).rounded()))) }
        let scales = generator.floats(count)
        let queryScale: Float = 0.37
        func bytes(_ words: [UInt64]) -> [Int8] {
            words.flatMap { word in
                withUnsafeBytes(of: word.littleEndian) { $0.map(Int8.init(bitPattern:)) }
            }
        }
        let call = KernelCall(
            .dotRowsBits, integers: [count, width], floats: [queryScale],
            operands: [
                .input(bytes(Reference.packed(signs: signs, width: width))), .input(scales),
                .input(bytes(Reference.planes(of: query))), .output(count: count),
            ])
        return CrossCheckCase(label: "\(count) × \(width)", call: call) {
            let scores = Reference.dotRows(
                signs: signs, scales: scales.doubles, query: query,
                queryScale: Double(queryScale))
            // The sum is exact; it and two products are rounded.
            return [Expected(scores) { 3 * Double(Float.ulpOfOne) * abs(scores[$0]) + 1e-30 }]
        }
    }

    private static var argmaxCases: [CrossCheckCase] {
        var cases: [CrossCheckCase] = []
        for count in counts where count > 0 {
            var generator = SeededGenerator(seed: UInt64(count))
            let x = generator.floats(count)
            var twice = x
            for index in [count / 2, count - 1, count / 3] { twice[index] = 2 }
            var holes = x
            for index in stride(from: 0, to: count, by: 2) { holes[index] = .nan }
            let named: [(String, [Float])] = [
                ("random", x), ("first of equals", twice), ("every other NaN", holes),
                ("all NaN", x.map { _ in .nan }), ("all equal", x.map { _ in -1 }),
                ("all -inf", x.map { _ in -.infinity }),
                ("-inf after NaN", x.indices.map { $0 == 0 ? .nan : -.infinity }),
            ]
            cases += named.map { name, values in
                let call = KernelCall(
                    .argmax, integers: [count], operands: [.input(values), .returned])
                return CrossCheckCase(label: "\(count), \(name)", call: call) {
                    [Expected([Double(Reference.argmax(values.doubles))]) { _ in 0 }]
                }
            }
        }
        return cases
    }
}
