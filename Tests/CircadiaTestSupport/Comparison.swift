/// Compares the output of a kernel with the expected values.
package enum Comparison {
    /// The first element outside its tolerance.
    package struct Mismatch: Sendable, Equatable, CustomStringConvertible {
        /// Its index; -1 if the counts differ.
        package let index: Int
        /// The computed value.
        package let actual: Double
        /// The expected value.
        package let expected: Double
        /// The allowed difference.
        package let tolerance: Double

        /// The message of a failed check.
        package var description: String {
            index < 0
                ? "\(actual) elements instead of \(expected)"
                : "element \(index) is \(actual), expected \(expected) ± \(tolerance)"
        }
    }

    /// The first element of `actual` that differs from `expected` by more than its tolerance; nil
    /// if there is none. NaN equals only NaN.
    package static func mismatch(
        _ actual: [Double], _ expected: [Double], tolerance: [Double]
    ) -> Mismatch? {
        guard actual.count == expected.count, tolerance.count == expected.count else {
            return Mismatch(
                index: -1, actual: Double(actual.count), expected: Double(expected.count),
                tolerance: 0)
        }
        for index in actual.indices {
            let (a, e) = (actual[index], expected[index])
            if a == e || (a.isNaN && e.isNaN) || abs(a - e) <= tolerance[index] { continue }
            return Mismatch(index: index, actual: a, expected: e, tolerance: tolerance[index])
        }
        return nil
    }

    /// The tolerance for an f32 sum of `terms` products.
    ///
    /// Every addition rounds by at most half an ε of the partial sum, in either direction. So the
    /// errors are a random walk that grows with the root of their number. `magnitude` is the sum of
    /// the terms' absolute values. The factor 4 covers the rounding of the terms themselves.
    package static func sumTolerance(terms: Int, magnitude: Double) -> Double {
        Double(Float.ulpOfOne) * (Double(terms).squareRoot() + 4) * magnitude
    }
}
