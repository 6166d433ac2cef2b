extension Reference {
    /// `y = x · weight / sqrt(mean(x²) + epsilon)` per row of `[tokens, width]`.
    ///
    /// - Returns: `y` `[tokens, width]` and `rstd` `[tokens]`, the `1/sqrt(…)` of each row.
    package static func rmsNorm(
        x: [Double], weight: [Double], tokens: Int, epsilon: Double
    ) -> (y: [Double], rstd: [Double]) {
        let width = weight.count
        var y = [Double](repeating: 0, count: x.count)
        var rstd = [Double](repeating: 0, count: tokens)
        for t in 0..<tokens {
            var squares = 0.0
            for i in 0..<width { squares += x[t * width + i] * x[t * width + i] }
            rstd[t] = 1 / (squares / Double(width) + epsilon).squareRoot()
            for i in 0..<width { y[t * width + i] = x[t * width + i] * rstd[t] * weight[i] }
        }
        return (y, rstd)
    }

    /// The gradient of `rmsNorm` by `x`. With `g = weight · dy`: `dx = rstd · g − rstd³/width · x ·
    /// Σ g·x`, `[tokens, width]`.
    package static func rmsNormBackward(
        x: [Double], weight: [Double], rstd: [Double], dy: [Double], tokens: Int
    ) -> [Double] {
        let width = weight.count
        var dx = [Double](repeating: 0, count: x.count)
        for t in 0..<tokens {
            var along = 0.0
            for i in 0..<width { along += weight[i] * dy[t * width + i] * x[t * width + i] }
            along *= rstd[t] * rstd[t] * rstd[t] / Double(width)
            for i in 0..<width {
                let at = t * width + i
                dx[at] = rstd[t] * weight[i] * dy[at] - along * x[at]
            }
        }
        return dx
    }
}
