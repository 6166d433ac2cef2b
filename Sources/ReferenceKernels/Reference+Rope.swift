import Foundation

extension Reference {
    /// Half-split rotary embedding of `x` `[tokens, heads, headDim]`.
    ///
    /// `positions` is `[tokens]`, `frequencies` `[headDim/2]`. The angle is rounded to f32, as in
    /// every program that the models were trained with. It is negated if `inverse`.
    package static func rope(
        _ x: [Double], positions: [Int32], frequencies: [Float], heads: Int, inverse: Bool
    ) -> [Double] {
        let half = frequencies.count
        var out = x
        for t in positions.indices {
            for h in 0..<heads {
                let base = (t * heads + h) * 2 * half
                for i in 0..<half {
                    let angle = Double(Float(positions[t]) * frequencies[i]) * (inverse ? -1 : 1)
                    let (u, v) = (x[base + i], x[base + half + i])
                    out[base + i] = u * cos(angle) - v * sin(angle)
                    out[base + half + i] = v * cos(angle) + u * sin(angle)
                }
            }
        }
        return out
    }
}
