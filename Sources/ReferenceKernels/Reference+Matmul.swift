extension Reference {
    /// An MLX affine-quantised matrix: `w[o, i] = scale · q + bias` per group.
    package struct AffineMatrix: Sendable {
        /// Rows of the matrix.
        package var rows: Int
        /// Columns of the matrix.
        package var columns: Int
        /// Columns that share a scale and a bias.
        package var groupSize: Int
        /// The quantised integers, `[rows, columns]`.
        package var values: [UInt8]
        /// The scales, `[rows, columns/groupSize]`.
        package var scales: [Double]
        /// The biases, `[rows, columns/groupSize]`.
        package var biases: [Double]

        /// Creates a matrix from its parts.
        package init(
            rows: Int, columns: Int, groupSize: Int, values: [UInt8], scales: [Double],
            biases: [Double]
        ) {
            self.rows = rows
            self.columns = columns
            self.groupSize = groupSize
            self.values = values
            self.scales = scales
            self.biases = biases
        }

        /// The dequantised matrix, `[rows, columns]`.
        package var dequantized: [Double] {
            values.indices.map { index in
                let group = index / columns * (columns / groupSize) + index % columns / groupSize
                return scales[group] * Double(values[index]) + biases[group]
            }
        }
    }

    /// `x · wᵀ` `[tokens, rows]` of `x` `[tokens, columns]` and `w` `[rows, columns]`.
    package static func matmul(
        x: [Double], tokens: Int, w: [Double], rows: Int, columns: Int
    ) -> [Double] {
        (0..<tokens * rows).map { index in
            dot(x, index / rows * columns, w, index % rows * columns, columns)
        }
    }

    /// `x` `[tokens, columns]` rounded to 8 bits per token and group: `step · round(x/step)` with
    /// `step = absmax/127`. With two `digits`, the second rounds the remainder of the first in the
    /// same way.
    ///
    /// Steps, quotients and remainders are f32, as in the kernels, so that both round alike.
    package static func roundedToInt8(
        _ x: [Double], groupSize: Int, digits: Int = 1
    ) -> [Double] {
        var rest = x.map { Float($0) }
        var out = [Double](repeating: 0, count: x.count)
        for start in stride(from: 0, to: x.count, by: groupSize) {
            let group = start..<start + groupSize
            for _ in 0..<digits {
                let most = group.reduce(0) { max($0, abs(rest[$1])) }
                if most == 0 { break }
                let step = most * (1 / 127)
                for i in group {
                    let q = (rest[i] * (127 / most)).rounded(.toNearestOrEven)
                    out[i] += Double(step) * Double(q)
                    rest[i] -= step * q
                }
            }
        }
        return out
    }

    /// The bf16 number nearest to `x`, ties to even.
    package static func roundedToBFloat16(_ x: Double) -> Double {
        let bits = Float(x).bitPattern
        let rounded = (bits &+ 0x7fff &+ (bits >> 16 & 1)) & 0xffff_0000
        return Double(Float(bitPattern: rounded))
    }
}
