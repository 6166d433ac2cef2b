/// MLX's affine quantisation of dense matrices, bit for bit as `mlx.core.quantize`.
package enum AffineQuantizer {
    /// A quantised matrix in MLX's layout.
    package struct Quantized: Sendable, Equatable {
        /// `[rows, columns · bits / 32]`, least significant element first.
        package var words: [UInt32]
        /// `[rows, columns / groupSize]`.
        package var scales: [Float]
        /// `[rows, columns / groupSize]`.
        package var biases: [Float]
    }

    /// Quantises a matrix.
    ///
    /// Per group, with n = 2^bits − 1: s = max((max − min)/n, 1e-7), negated unless |min| > |max|;
    /// edge is the end of larger magnitude; q0 = rint(edge/s). If q0 ≠ 0, s = edge/q0 and bias =
    /// edge, else bias = 0. Then q = clamp(rint((w − bias)/s), 0, n).
    ///
    /// - Parameters:
    ///   - values: `[rows, columns]`, row-major.
    ///   - rows: the number of rows.
    ///   - columns: the number of columns; a multiple of `groupSize`.
    ///   - bits: 4 or 8.
    ///   - groupSize: 32, 64 or 128.
    /// - Returns: words, scales and biases. Scales and biases are f32; the caller rounds them to
    ///   the checkpoint's dtype.
    package static func quantize(
        _ values: [Float], rows: Int, columns: Int, bits: Int = 4, groupSize: Int = 64
    ) -> Quantized {
        precondition(QuantizationFormat(bits: bits, groupSize: groupSize).isSupported)
        precondition(columns.isMultiple(of: groupSize) && values.count == rows * columns)
        var result = Quantized(words: [], scales: [], biases: [])
        let perWord = 32 / bits
        result.words.reserveCapacity(values.count / perWord)
        for start in stride(from: 0, to: values.count, by: groupSize) {
            let group = values[start..<start + groupSize]
            let (scale, bias) = scaleAndBias(group, bits: bits)
            let largest = Float((1 << bits) - 1)
            for first in stride(from: start, to: start + groupSize, by: perWord) {
                var word: UInt32 = 0
                for index in 0..<perWord {
                    let quotient = ((values[first + index] - bias) / scale)
                        .rounded(.toNearestOrEven)
                    let q = min(max(quotient, 0), largest)
                    word |= (q.isNaN ? 0 : UInt32(q)) << UInt32(bits * index)
                }
                result.words.append(word)
            }
            result.scales.append(scale)
            result.biases.append(bias)
        }
        return result
    }

    private static func scaleAndBias(
        _ group: ArraySlice<Float>, bits: Int
    ) -> (scale: Float, bias: Float) {
        var low = Float.infinity
        var high = -Float.infinity
        for value in group {
            low = min(low, value)
            high = max(high, value)
        }
        let isLowLarger = abs(low) > abs(high)
        var scale = max((high - low) / Float((1 << bits) - 1), 1e-7)
        if !isLowLarger { scale = -scale }
        let edge = isLowLarger ? low : high
        let steps = (edge / scale).rounded(.toNearestOrEven)
        return steps == 0 ? (scale, 0) : (edge / steps, edge)
    }
}
