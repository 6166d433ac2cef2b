import CircadiaKernels
import CircadiaTestSupport
import Foundation
import ReferenceKernels

extension CrossCheck {
    /// Attention and the cache that it reads.
    static let attentionChecks = [
        CrossCheck(kernels: ["cache_append"], cases: FloatFormat.caches.flatMap(appendCases)),
        CrossCheck(kernels: ["attention"], cases: FloatFormat.caches.flatMap(attentionCases)),
    ]

    // MARK: Cache

    private static func appendCases(_ format: FloatFormat) -> [CrossCheckCase] {
        [1, 8, 15, 16, 17, 31, 33, 64, 97].map {
            append(tokens: 3, past: 5, kvHeads: 2, headDim: $0, format)
        } + [
            append(tokens: 0, past: 0, kvHeads: 2, headDim: 16, format),
            append(tokens: 1, past: 0, kvHeads: 3, headDim: 64, format),
            append(tokens: 101, past: 1, kvHeads: 3, headDim: 64, format),
        ]
    }

    private static func append(
        tokens: Int, past: Int, kvHeads: Int, headDim: Int, _ format: FloatFormat
    ) -> CrossCheckCase {
        var generator = SeededGenerator(seed: UInt64(tokens * 1000 + headDim))
        // Ordinary numbers, halves' subnormals, ties, and what overflows a half.
        let special: [Float] = [0, 1e-7, -3e-5, 6.1e-5, 2049, 2051, 65519, 65520, -1e6, 0x1p-25]
        let x = generator.floats(tokens * kvHeads * headDim, in: -4...4).enumerated().map {
            $0 % 7 == 3 ? special[$0 / 7 % special.count] : $1
        }
        let capacity = past + tokens + 2
        let shape = AttentionShape(
            tokens: tokens, past: past, heads: kvHeads, kvHeads: kvHeads, headDim: headDim,
            capacity: capacity)
        let count = kvHeads * capacity * headDim
        let cache = Operand.output([Float](repeating: 0, count: count), format)
        let call = KernelCall(
            .cacheAppend, integers: shape.integers + [format.number], floats: [shape.scale],
            operands: [.absent, .absent, cache, .input(x)])
        let label = "\(format) \(tokens) + \(past) × \(kvHeads) × \(headDim)"
        return CrossCheckCase(label: label, call: call) {
            let cache = Reference.cacheAppend(
                [Double](repeating: 0, count: count), x: x.doubles, kvHeads: kvHeads,
                headDim: headDim, past: past, isHalf: format == .f16)
            return [Expected(cache) { _ in 0 }]
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

    private static func attentionCases(_ format: FloatFormat) -> [CrossCheckCase] {
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
        cases.append(exponential(tokens: 1, format))
        cases.append(exponential(tokens: 20, format))
        cases.append(attention(0, 5, 3, 1, 64, .causal, format))
        cases.append(attention(2, 3, 0, 0, 64, .causal, format))
        return cases
    }

    private static func attention(
        _ tokens: Int, _ past: Int, _ heads: Int, _ kvHeads: Int, _ headDim: Int, _ mask: Mask,
        _ format: FloatFormat
    ) -> CrossCheckCase {
        let keys = past + tokens
        var generator = SeededGenerator(seed: UInt64(keys * 100 + headDim))
        let q = generator.floats(tokens * heads * headDim, in: -3...3)
        let rounded: (Float) -> Float = {
            format == .f16 ? Float(Reference.roundedToHalf(Double($0))) : $0
        }
        let k = generator.floats(keys * kvHeads * headDim, in: -3...3).map(rounded)
        let v = generator.floats(keys * kvHeads * headDim).map(rounded)
        let visible = (0..<tokens).map { mask.visible($0, past: past, tokens: tokens) }
        let first = visible.map { Int32($0.lowerBound) }
        let end = visible.map { Int32($0.upperBound) }
        let shape = AttentionShape(
            tokens: tokens, past: past, heads: heads, kvHeads: kvHeads, headDim: headDim,
            capacity: keys + 3)
        let label = "\(format) \(tokens) + \(past) × \(heads)/\(kvHeads) × \(headDim) \(mask)"
        let call = KernelCall(
            .attention, integers: shape.integers + [format.number], floats: [shape.scale],
            operands: [
                mask == .causal ? .absent : .input(first),
                mask == .causal || mask == .packed ? .absent : .input(end), .input(q),
                cache(k, shape, format), cache(v, shape, format), .output(count: q.count),
                .output(count: tokens * heads),
            ])
        return CrossCheckCase(label: label, call: call) {
            let reference = Reference.AttentionShape(
                heads: heads, kvHeads: kvHeads, headDim: headDim, scale: Double(shape.scale),
                visible: visible)
            let (out, logSum) = Reference.attention(
                reference, q: q.doubles, k: k.doubles, v: v.doubles)
            // A score is off by ε of Σ|q||k| <= 9·headDim, and with it the relative size of a
            // probability; the values' weighted mean is off by as much, twice (sum and products).
            let score = Comparison.sumTolerance(
                terms: headDim, magnitude: 0.25 * 9 * Double(headDim) * Double(shape.scale))
            let mean = Comparison.sumTolerance(terms: keys, magnitude: 1)
            return [
                Expected(out) { _ in 2 * score + mean },
                Expected(logSum) { score + mean + epsilon * abs(logSum[$0]) },
            ]
        }
    }

    /// The cache that holds `rows` `[keys, kvHeads, headDim]`. Its other rows are NaN, which would
    /// spread: what nobody has written must not be read.
    fileprivate static func cache(
        _ rows: [Float], _ shape: AttentionShape, _ format: FloatFormat
    ) -> Operand {
        let (width, rowBytes) = (shape.headDim, shape.headDim * format.byteCount)
        var bytes = [UInt8](repeating: 0xff, count: shape.kvHeads * shape.capacity * rowBytes)
        let source = Operand.bytes(of: rows, format)
        for row in 0..<(width == 0 ? 0 : rows.count / width) {
            let (key, head) = row.quotientAndRemainder(dividingBy: shape.kvHeads)
            let start = (head * shape.capacity + key) * rowBytes
            bytes.replaceSubrange(
                start..<start + rowBytes, with: source[row * rowBytes..<(row + 1) * rowBytes])
        }
        return Operand(role: .input, element: Operand.Element(format), bytes: bytes)
    }
}

extension CrossCheck {
    /// Two keys with scores of exactly 0 and -x and values of 0 and 1, so that every output is
    /// `e^-x / (1 + e^-x)`: what is left of an error is the exponential's own.
    fileprivate static func exponential(tokens: Int, _ format: FloatFormat) -> CrossCheckCase {
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
            .attention, integers: shape.integers + [format.number], floats: [shape.scale],
            operands: [
                .absent, .input([Int32](repeating: 2, count: tokens)), .input(q),
                cache(k, shape, format), cache(v, shape, format), .output(count: q.count), .absent,
            ])
        return CrossCheckCase(label: "\(format) exponential, \(tokens) tokens", call: call) {
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
