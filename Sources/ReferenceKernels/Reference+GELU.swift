import Foundation

extension Reference {
    /// `x · Φ(x)`; `Φ` is the normal distribution's (the erf form). Shapes are free; the result has
    /// that of `x`.
    package static func gelu(_ x: [Double]) -> [Double] {
        x.map { 0.5 * $0 * erfc(-$0 * 0.5.squareRoot()) }
    }
}
