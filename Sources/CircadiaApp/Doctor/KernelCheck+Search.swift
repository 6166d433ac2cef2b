import CircadiaKernels
import CircadiaModel
import ReferenceKernels

extension KernelCheck {
    /// The search over vectors and words.
    static let searchChecks = [
        KernelCheck(kernels: ["dot_rows"], run: dotRows),
        KernelCheck(kernels: ["dot_rows_int8"], run: dotRowsInt8),
        KernelCheck(kernels: ["dot_rows_bits"], run: dotRowsBits),
        KernelCheck(kernels: ["bm25", "fuse_scores"], run: scores),
    ]

    @Sendable private static func dotRows() -> [KernelDifference] {
        let (count, width) = (500, 384)
        var generator = SeededGenerator(seed: 4)
        let vectors = generator.floats(count * width)
        let query = generator.floats(width)
        let scores = FloatBuffer(count: count)
        Kernels.dotRows(
            vectors: vectors.pointer, query: query.pointer, count: count, width: width,
            scores: scores.pointer)
        let expected = Reference.dotRows(
            vectors: vectors.doubles, query: query.doubles, count: count)
        return [KernelDifference(scores.doubles, expected, terms: width)]
    }

    @Sendable private static func dotRowsInt8() -> [KernelDifference] {
        let (count, width) = (500, 384)
        var generator = SeededGenerator(seed: 4)
        func bytes(_ count: Int) -> [Int8] {
            generator.floats(count).array.map { Int8(clamping: Int(($0 * 127).rounded())) }
        }
        let vectors = bytes(count * width)
        let query = bytes(width)
        let scales = generator.floats(count)
        let scores = FloatBuffer(count: count)
        Kernels.dotRows(
            vectors: vectors, scales: scales.pointer, query: query, queryScale: 0.5, count: count,
            width: width, scores: scores.pointer)
        let expected = Reference.dotRows(
            vectors: vectors.map(Double.init), scales: scales.doubles,
            query: query.map(Double.init), queryScale: 0.5)
        return [KernelDifference(scores.doubles, expected, terms: width)]
    }

    @Sendable private static func dotRowsBits() -> [KernelDifference] {
        let (count, width) = (500, 384)
        var generator = SeededGenerator(seed: 4)
        let signs = (0..<count).map { _ in generator.floats(width).array.map { $0 >= 0 } }
        let query = generator.floats(width).array.map { Int(($0 * 7).rounded()) }
        let scales = generator.floats(count)
        let scores = FloatBuffer(count: count)
        Kernels.dotRows(
            signs: Reference.packed(signs: signs, width: width), scales: scales.pointer,
            query: Reference.planes(of: query), queryScale: 0.5, count: count, width: width,
            scores: scores.pointer)
        let expected = Reference.dotRows(
            signs: signs, scales: scales.doubles, query: query, queryScale: 0.5)
        return [KernelDifference(scores.doubles, expected, terms: width)]
    }

    /// BM25 of 5 terms and the scores of 1,000 exchanges in conversations of 20.
    @Sendable private static func scores() -> [KernelDifference] {
        let (count, terms) = (1000, 5)
        var generator = SeededGenerator(seed: 5)
        let said = (0..<terms).map { _ in
            (0..<count).map { _ in
                (
                    user: max(0, Int.random(in: -20...3, using: &generator)),
                    other: max(0, Int.random(in: -20...15, using: &generator))
                )
            }
        }
        let exchanges = exchanges(count, &generator)
        let words = FloatBuffer(count: count)
        for index in 0..<count { words[index] = Float(exchanges.contextWords[index]) }
        let information = generator.floats(terms, in: 0...9)
        let near = generator.floats(2 * (count + 2))
        let bytes = said.flatMap { term -> [UInt8] in
            [0] + term.map { UInt8($0.user << 4 | $0.other) } + [0]
        }
        let bm25: [Float] = [1.2, 0.72, 0.004, 0.01, 0.4, 0.2]
        let fusion: [Float] = [0.3, 0.05, -0.05, 0.2, 4.5, 1.5, 1, 2, 0.6, 0.7, 1.8]
        let (sums, scores) = (FloatBuffer(count: 4 * count), FloatBuffer(count: count))
        let highest = FloatBuffer(count: 2)
        let nearUser = near.pointer
        let nearOther = nearUser + count + 2
        exchanges.links.withUnsafeBufferPointer { links in
            guard let links = links.baseAddress else { return }
            let all = Kernels.Exchanges(
                count: count, links: links, sides: exchanges.sides, contextWords: words.pointer,
                userWords: exchanges.userWords, otherWords: exchanges.otherWords)
            _ = Kernels.bm25(
                Kernels.BM25(
                    saturation: bm25[0], constant: bm25[1], perContextWord: bm25[2],
                    perSideWord: bm25[3], previous: bm25[4], following: bm25[5]),
                counts: bytes, information: information.pointer, terms: terms, exchanges: all,
                adds: false, sums: sums.pointer)
            Kernels.fuseScores(
                Kernels.Fusion(
                    whole: fusion[0], asked: fusion[1], other: fusion[2], coverage: fusion[3],
                    askedNear: fusion[4], otherNear: fusion[5], previousUser: fusion[6],
                    previousOther: fusion[7], following: fusion[8], absent: fusion[9],
                    namesTime: fusion[10]), sums: sums.pointer, nearUser: nearUser,
                nearOther: nearOther, exchanges: all, block: 512, scores: scores.pointer,
                highest: highest.pointer)
        }
        let expected = Reference.bm25(
            options: bm25.map(Double.init), counts: said, information: information.doubles,
            exchanges: exchanges, initial: nil)
        let fused = Reference.fuseScores(
            weights: fusion.map(Double.init), sums: sums.doubles,
            nearUser: (1...count).map { Double(nearUser[$0]) },
            nearOther: (1...count).map { Double(nearOther[$0]) }, exchanges: exchanges
        ).map(\.score)
        return [
            KernelDifference(sums.doubles, expected.sums, terms: terms),
            KernelDifference(scores.doubles, fused, terms: 10),
            KernelDifference(
                highest.doubles, [fused[..<512], fused[512...]].map { $0.max() ?? 0 }, terms: 10),
        ]
    }
    /// Made-up exchanges in conversations of 20; every seventh has the lowest bit of its links set.
    private static func exchanges(
        _ count: Int, _ generator: inout SeededGenerator
    ) -> Reference.Exchanges {
        var exchanges = Reference.Exchanges(
            links: (0..<count).map { UInt8(16 | ($0 % 20 > 0 ? 4 : 0) | ($0 % 20 < 19 ? 8 : 0)) },
            sides: (0..<count).map { Int8($0 / 20 % 3) - 1 },
            contextWords: generator.floats(count, in: 10...300).doubles,
            userWords: (0..<count).map { UInt16($0 % 90) },
            otherWords: (0..<count).map { UInt16($0 % 170) })
        for index in stride(from: 0, to: count, by: 7) { exchanges.links[index] |= 1 }
        return exchanges
    }
}
