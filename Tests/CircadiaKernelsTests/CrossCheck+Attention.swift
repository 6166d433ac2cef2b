import CircadiaTestSupport
import Foundation

import CircadiaKernels
import ReferenceKernels

extension CrossCheck {
    /// Attention and the cache that it reads.
    static let attentionChecks = [
        CrossCheck(kernels: ["cache_append"], cases: CacheFormat.allCases.flatMap(appendCases)),
        CrossCheck(kernels: ["attention"], cases: CacheFormat.allCases.flatMap(attentionCases)),
    ]

    // MARK: Cache

    private static func appendCases(_ format: CacheFormat) -> [CrossCheckCase] {
        [1, 8, 15, 16, 17, 31, 33, 64, 97].map {
            append(tokens: 3, past: 5, kvHeads: 2, headDim: $0, format)
        } + [
            append(tokens: 0, past: 0, kvHeads: 2, headDim: 16, format),
            append(tokens: 1, past: 0, kvHeads: 3, headDim: 64, format),
            append(tokens: 101, past: 1, kvHeads: 3, headDim: 64, format),
        ]
    }

    private static func append(
        tokens: Int, past: Int, kvHeads: Int, headDim: Int, _ format: CacheFormat
    ) -> CrossCheckCase {
        var generator = SplitMix64(seed: UInt64(tokens * 1000 + headDim))
        // Ordinary numbers, and rows that one large number rules; one row of zeros.
        func rows() -> [Float] {
            let zero = generator.next() % UInt64(max(1, tokens * kvHeads))
            return generator.floats(tokens * kvHeads * headDim, in: -4...4).enumerated().map {
                let row = $0 / max(1, headDim)
                return row == zero ? 0 : $0 % 7 == 3 && row % 2 == 0 ? $1 * 100 : $1
            }
        }
        let (k, v) = (rows(), rows())
        let capacity = past + tokens + 2
        let shape = AttentionShape(
            tokens: tokens, past: past, heads: kvHeads, kvHeads: kvHeads, headDim: headDim,
            capacity: capacity)
        let layout = Reference.CacheLayout(
            kvHeads: kvHeads, capacity: capacity, headDim: headDim, most: format.most)
        let zeros = [Double](repeating: 0, count: layout.numberCount)
        let steps = Reference.Part.allCases.map {
            Operand.cacheSteps(
                [Double](repeating: 0, count: layout.stepCount($0)), role: .output)
        }
        let call = KernelCall(
            .cacheAppend, integers: shape.integers + [format.number], floats: [shape.scale],
            operands: [
                .absent, .absent, .cache(zeros, format, role: .output), steps[0],
                .cache(zeros, format, role: .output), steps[1], .input(k), .input(v),
            ])
        let label = "\(format) \(tokens) + \(past) × \(kvHeads) × \(headDim)"
        return CrossCheckCase(label: label, call: call) {
            // Near a tie, the rounding of a step decides for one integer or its neighbour.
            let slack = format == .f32 ? 0.0 : 1
            return zip(Reference.Part.allCases, [k, v]).flatMap { part, x in
                let (numbers, steps) = Reference.cacheAppend(
                    layout, part, x: x.doubles, past: past)
                return [Expected(numbers) { _ in slack }]
                    + (steps.isEmpty ? [] : [Expected(steps) { 1e-5 * steps[$0] }])
            }
        }
    }

    // MARK: Attention

    /// Which keys the queries of a case see.
    private enum Mask: String {
        case causal, packed, everything, ragged

        func visible(_ t: Int, past: Int, tokens: Int) -> Range<Int> {
            let end = past + t + 1
            switch self {
            case .causal: return 0..<end
            case .packed: return past + t / 23 * 23..<end
            case .everything: return 0..<past + tokens
            // Some see nothing at all, some one key.
            case .ragged: return t % 4 == 3 ? end..<end : max(0, end - 1 - t * 5 % 70)..<end
            }
        }
    }

    private static func attentionCases(_ format: CacheFormat) -> [CrossCheckCase] {
        var cases: [CrossCheckCase] = []
        // One token at depths around blocks of 16 and 64 and around a split of 256.
        for past in [0, 14, 15, 16, 62, 63, 64, 254, 255, 256, 257, 520, 1021] {
            cases.append(attention(1, past, 9, 3, 64, .causal, format))
        }
        // Heads around the widths of vectors.
        for headDim in [8, 15, 16, 17, 32, 48, 80, 96, 128] {
            cases.append(attention(1, 70, 4, 2, headDim, .causal, format))
            cases.append(attention(5, 66, 4, 2, headDim, .causal, format))
        }
        // Queries around a tile of 48 rows.
        for tokens in [2, 7, 15, 16, 17, 31, 33] {
            cases.append(attention(tokens, 300, 9, 3, 64, .causal, format))
        }
        for mask in [Mask.causal, .packed, .everything, .ragged] {
            cases.append(attention(65, 0, 3, 1, 64, mask, format))
            cases.append(attention(131, 37, 4, 4, 32, mask, format))
            cases.append(attention(3, 290, 4, 2, 64, mask, format))
        }
        if format == .f32 { cases += [exponential(tokens: 1), exponential(tokens: 20)] }
        cases.append(attention(0, 5, 3, 1, 64, .causal, format))
        cases.append(attention(2, 3, 0, 0, 64, .causal, format))
        return cases
    }

    private static func attention(
        _ tokens: Int, _ past: Int, _ heads: Int, _ kvHeads: Int, _ headDim: Int, _ mask: Mask,
        _ format: CacheFormat
    ) -> CrossCheckCase {
        let keys = past + tokens
        var generator = SplitMix64(seed: UInt64(keys * 100 + headDim))
        let q = generator.floats(tokens * heads * headDim, in: -3...3)
        let k = generator.floats(keys * kvHeads * headDim, in: -3...3)
        let v = generator.floats(keys * kvHeads * headDim)
        let visible = (0..<tokens).map { mask.visible($0, past: past, tokens: tokens) }
        let first = visible.map { Int32($0.lowerBound) }
        let end = visible.map { Int32($0.upperBound) }
        let shape = AttentionShape(
            tokens: tokens, past: past, heads: heads, kvHeads: kvHeads, headDim: headDim,
            capacity: keys + 3)
        let stored = StoredCache(k: k, v: v, shape, format)
        let label = "\(format) \(tokens) + \(past) × \(heads)/\(kvHeads) × \(headDim) \(mask)"
        let call = KernelCall(
            .attention, integers: shape.integers + [format.number], floats: [shape.scale],
            operands: [
                mask == .causal ? .absent : .input(first),
                mask == .causal || mask == .packed ? .absent : .input(end), .input(q),
            ] + stored.operands + [.output(count: q.count), .output(count: tokens * heads)])
        return CrossCheckCase(label: label, call: call) {
            let reference = Reference.AttentionShape(
                heads: heads, kvHeads: kvHeads, headDim: headDim, scale: Double(shape.scale),
                visible: visible)
            let (out, logSum) = Reference.attention(
                reference, q: q.doubles, k: stored.k, v: stored.v)
            // A score is off by ε of Σ|q||k| <= 9·headDim, and with it the relative size of a
            // probability; the values' weighted mean is off by as much, twice (sum and products).
            var score = Comparison.sumTolerance(
                terms: headDim, magnitude: 0.25 * 9 * Double(headDim) * Double(shape.scale))
            var mean = Comparison.sumTolerance(terms: keys, magnitude: 1)
            if format != .f32 {
                // Half a step |q| / 46300 for each number of a query, their errors walking; half of
                // 1/65000 of a block's weight for each of its 64 keys.
                let width = Double(headDim).squareRoot()
                score += 4 * 0.5 * (3 * width / 46300) * 3 * width * Double(shape.scale)
                mean += 0.5 / 65000 * 64 / 4
            }
            return [
                Expected(out) { _ in 2 * score + mean },
                Expected(logSum) { score + mean + epsilon * abs(logSum[$0]) },
            ]
        }
    }

    /// A cache that holds `k`, `v` `[keys, kvHeads, headDim]`. What nobody has written must not be read: there,
    /// numbers are NaN, or integers whose steps are.
    fileprivate struct StoredCache {
        /// Keys, their steps, values, their steps.
        let operands: [Operand]
        /// What the cache says they are.
        let k, v: [Double]

        init(k: [Float], v: [Float], _ shape: AttentionShape, _ format: CacheFormat) {
            let layout = Reference.CacheLayout(
                kvHeads: shape.kvHeads, capacity: shape.capacity, headDim: shape.headDim,
                most: format.most)
            let count = shape.kvHeads * shape.headDim == 0 ? 0 : shape.past + shape.tokens
            var operands: [Operand] = []
            var rows: [[Double]] = []
            for (part, x) in zip(Reference.Part.allCases, [k, v]) {
                var (numbers, steps) = Reference.cacheAppend(layout, part, x: x.doubles, past: 0)
                steps = steps.map { Double(Float($0)) }
                rows.append(layout.rows(part, count, numbers: numbers, steps: steps))
                for head in 0..<shape.kvHeads {
                    for s in count..<layout.rows {
                        for i in 0..<shape.headDim {
                            numbers[layout.number(part, head, s, i)] = format == .f32 ? .nan : 99
                            if format != .f32 { steps[layout.step(part, head, s, i)] = .nan }
                        }
                    }
                }
                operands.append(.cache(numbers, format, role: .input))
                operands.append(.cacheSteps(steps, role: .input))
            }
            self.operands = operands
            (self.k, self.v) = (rows[0], rows[1])
        }
    }
}

extension CrossCheck {
    /// Two keys with scores of exactly 0 and -x and values of 0 and 1, so that every output is
    /// `e^-x / (1 + e^-x)`: what is left of an error is the exponential's own.
    fileprivate static func exponential(tokens: Int) -> CrossCheckCase {
        let (heads, width) = (48, 16)
        var shape = AttentionShape(
            tokens: tokens, past: 2, heads: heads, kvHeads: 1, headDim: width, capacity: tokens + 2)
        shape.scale = 1
        let steps = (0..<tokens * heads).map { Float($0) * 80 / Float(tokens * heads) }
        var q = [Float](repeating: 0, count: tokens * heads * width)
        for (row, x) in steps.enumerated() { q[row * width] = x }
        var k = [Float](repeating: 0, count: (tokens + 2) * width)
        k[width] = -1
        var v = [Float](repeating: 0, count: k.count)
        for i in width..<2 * width { v[i] = 1 }
        let call = KernelCall(
            .attention, integers: shape.integers + [CacheFormat.f32.number],
            floats: [shape.scale],
            operands: [.absent, .input([Int32](repeating: 2, count: tokens)), .input(q)]
                + StoredCache(k: k, v: v, shape, .f32).operands
                + [.output(count: q.count), .absent])
        return CrossCheckCase(label: "exponential, \(tokens) tokens", call: call) {
            let out = (0..<tokens * heads * width).map { index in
                let e = exp(-Double(steps[index / width]))
                return e / (1 + e)
            }
            // The bound of math/vector.h (2e-7), and the roundings of the sum, its inverse
            // and the products with it.
            return [Expected(out) { (2e-7 + 2 * epsilon) * out[$0] }]
        }
    }
}
