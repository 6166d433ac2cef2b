import CircadiaTestSupport

import CircadiaKernels
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
        CrossCheck(
            kernels: ["bm25"],
            cases: counts.map { bm25(terms: 3, count: $0) }
                + [0, 1, 2, 8].map { bm25(terms: $0, count: 70) }
                + [bm25(terms: 4, count: 97, adds: true)]),
        CrossCheck(
            kernels: ["fuse_scores"],
            cases: counts.map { fuseScores(count: $0, block: 64) }
                + [1, 7, 64, 512].map { fuseScores(count: 1100, block: $0) }),
        CrossCheck(kernels: ["argmax"], cases: argmaxCases),
    ]

    private static func dotRows(count: Int, width: Int) -> CrossCheckCase {
        var generator = SplitMix64(seed: UInt64(count * 1000 + width))
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
        var generator = SplitMix64(seed: UInt64(count * 1000 + width))
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
        var generator = SplitMix64(seed: UInt64(count * 1000 + width))
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

    /// Exchanges of which some have a neighbour beside them and some are not plain.
    private static func exchanges(
        _ count: Int, _ generator: inout SplitMix64
    ) -> Reference.Exchanges {
        var links = (0..<count).map { _ in UInt8.random(in: 0...31, using: &generator) }
        // What is beside the first and the last belongs to nobody.
        if count > 0 {
            links[0] &= ~4
            links[count - 1] &= ~8
        }
        func words() -> [UInt16] {
            links.map { _ in UInt16.random(in: 0...300, using: &generator) }
        }
        return Reference.Exchanges(
            links: links, sides: links.map { _ in Int8.random(in: -1...1, using: &generator) },
            contextWords: generator.floats(count).map { Double(abs($0) * 600) },
            userWords: words(), otherWords: words())
    }

    private static func operands(_ exchanges: Reference.Exchanges) -> [Operand] {
        [
            .input(exchanges.links.map(Int8.init(bitPattern:))), .input(exchanges.sides),
            .input(exchanges.contextWords.floats), .input(exchanges.userWords),
            .input(exchanges.otherWords),
        ]
    }

    private static func bm25(terms: Int, count: Int, adds: Bool = false) -> CrossCheckCase {
        var generator = SplitMix64(seed: UInt64(count * 10 + terms))
        let exchanges = exchanges(count, &generator)
        let counts = (0..<terms).map { _ in
            (0..<count).map { _ in
                // Most say nothing of a term; some say it as often as a byte can hold.
                Bool.random(using: &generator)
                    ? (user: 0, other: 0)
                    : (
                        user: Int.random(in: 0...15, using: &generator),
                        other: Int.random(in: 0...15, using: &generator)
                    )
            }
        }
        let information = generator.floats(terms).map { abs($0) * 8 }
        let options: [Float] = [1.2, 0.72, 0.004, 0.01, 0.4, 0.2]
        let initial = generator.floats(4 * count).map(abs)
        let bytes = counts.flatMap { term -> [Int8] in
            [0] + term.map { Int8(truncatingIfNeeded: $0.user << 4 | $0.other) } + [0]
        }
        let call = KernelCall(
            .bm25, integers: [terms, count, adds ? 1 : 0], floats: options,
            operands: [.input(bytes), .input(information)] + operands(exchanges) + [
                adds ? .output(initial) : .output(count: 4 * count), .output(count: 3),
            ])
        return CrossCheckCase(label: "\(terms) terms, \(count)", call: call) {
            let (sums, best) = Reference.bm25(
                options: options.doubles, counts: counts, information: information.doubles,
                exchanges: exchanges, initial: adds ? initial.doubles : nil)
            // Nothing is negative: each sum is as large as all of its terms.
            func expected(_ values: [Double]) -> Expected {
                Expected(values) {
                    Comparison.sumTolerance(terms: terms + 4, magnitude: values[$0])
                }
            }
            return [expected(sums), expected(best)]
        }
    }

    private static func fuseScores(count: Int, block: Int) -> CrossCheckCase {
        var generator = SplitMix64(seed: UInt64(count + block))
        let exchanges = exchanges(count, &generator)
        let sums = generator.floats(4 * count)
        let (nearUser, nearOther) = (generator.floats(count), generator.floats(count))
        let weights = generator.floats(11)
        // What is beside the first and the last counts for nothing.
        func padded(_ values: [Float]) -> [Float] { [.nan] + values + [.nan] }
        let blocks = (count + block - 1) / block
        let call = KernelCall(
            .fuseScores, integers: [count, block], floats: weights,
            operands: [.input(sums), .input(padded(nearUser)), .input(padded(nearOther))]
                + operands(exchanges) + [.output(count: count), .output(count: blocks)])
        return CrossCheckCase(label: "\(count) by \(block)", call: call) {
            let scores = Reference.fuseScores(
                weights: weights.doubles, sums: sums.doubles, nearUser: nearUser.doubles,
                nearOther: nearOther.doubles, exchanges: exchanges)
            let tolerance = scores.map {
                Comparison.sumTolerance(terms: 10, magnitude: $0.magnitude)
            }
            let members = (0..<blocks).map { $0 * block..<min(count, ($0 + 1) * block) }
            return [
                Expected(scores.map(\.score), tolerance: tolerance),
                Expected(
                    members.map { $0.map { scores[$0].score }.max() ?? -.infinity },
                    tolerance: members.map { $0.map { tolerance[$0] }.max() ?? 0 }),
            ]
        }
    }

    private static var argmaxCases: [CrossCheckCase] {
        var cases: [CrossCheckCase] = []
        for count in counts where count > 0 {
            var generator = SplitMix64(seed: UInt64(count))
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
