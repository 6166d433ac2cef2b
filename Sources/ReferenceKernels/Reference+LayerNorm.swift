extension Reference {
    /// `y = (x − mean) / sqrt(variance + epsilon) · weight + bias` per row of `[tokens, width]`.
    package static func layerNorm(
        x: [Double], weight: [Double], bias: [Double], tokens: Int, epsilon: Double
    ) -> [Double] {
        let width = weight.count
        var y = [Double](repeating: 0, count: x.count)
        for t in 0..<tokens {
            let row = x[t * width..<(t + 1) * width]
            let mean = row.reduce(0, +) / Double(width)
            let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
            let scale = 1 / (variance + epsilon).squareRoot()
            for i in 0..<width {
                y[t * width + i] = (x[t * width + i] - mean) * scale * weight[i] + bias[i]
            }
        }
        return y
    }
}
