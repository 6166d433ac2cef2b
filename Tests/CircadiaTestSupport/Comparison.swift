/// Comparing what a kernel produced with what it should have.
package enum Comparison {
    /// The first element that is too far off.
    package struct Mismatch: Sendable, Equatable, CustomStringConvertible {
        /// Its index; -1 where the counts differ.
        package let index: Int
        /// What was produced.
        package let actual: Double
        /// What it should be.
        package let expected: Double
        /// How far off it may be.
        package let tolerance: Double

        /// The message of a failed check.
        package var description: String {
            index < 0
                ? "\(actual) elements instead of \(expected)"
                : "element \(index) is \(actual), expected \(expected) ± \(tolerance)"
        }
    }

    /// The first element of `actual` that differs from `expected` by more than its tolerance; NaN
    /// equals NaN alone.
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

    /// How far an f32 sum of `terms` products may stray from the exact one.
    ///
    /// Every addition rounds by at most half an ε of the partial sum, in either direction, so the
    /// errors walk: their sum grows with the root of their number. `magnitude` is the sum of the
    /// terms' absolute values; the 4 covers the roundings of the terms themselves.
    package static func sumTolerance(terms: Int, magnitude: Double) -> Double {
        Double(Float.ulpOfOne) * (Double(terms).squareRoot() + 4) * magnitude
    }
}
