import Foundation

extension Reference {
    /// `x · Φ(x)` with the normal distribution's `Φ` (the erf form).
    package static func gelu(_ x: [Double]) -> [Double] {
        x.map { 0.5 * $0 * erfc(-$0 * 0.5.squareRoot()) }
    }
}
