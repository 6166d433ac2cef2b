import CircadiaKernels
import CircadiaModel

/// Compares kernels with a plain Swift reference on shapes of real models.
///
/// The test suite checks every variant at every size. This checks whether the active variants work
/// on this processor.
package struct KernelCheck: Sendable {
    /// The names in the registry of the kernels that the check runs.
    let kernels: [String]
    /// Runs the kernels and compares.
    let run: @Sendable () -> [KernelDifference]

    static let all =
        matmulChecks + searchChecks + attentionChecks + elementwiseChecks + trainingChecks

    /// The result of the check of one kernel.
    package struct Outcome: Encodable, Sendable {
        /// The kernel's name in the registry.
        package let kernel: String
        /// The name of the active variant.
        package let variant: String
        /// Whether every difference is within its tolerance.
        package let ok: Bool
        /// The difference from the reference of the output with the worst ratio of difference to
        /// tolerance.
        package let difference: Double
        /// The largest difference allowed for that output.
        package let tolerance: Double
    }

    /// Checks every active variant. A variant without a check counts as failed.
    package static func outcomes(of variants: [KernelRuntime.Variant]) -> [Outcome] {
        var worst: [String: KernelDifference] = [:]
        for check in all where variants.contains(where: { check.kernels.contains($0.kernel) }) {
            for difference in check.run() {
                for kernel in check.kernels {
                    worst[kernel] = max(worst[kernel] ?? difference, difference)
                }
            }
        }
        return variants.map {
            let difference = worst[$0.kernel]
            return Outcome(
                kernel: $0.kernel, variant: $0.name, ok: difference?.isTolerable ?? false,
                difference: difference?.value ?? .nan, tolerance: difference?.tolerance ?? 0)
        }
    }
}

/// How far a kernel's output lies from the reference.
struct KernelDifference: Comparable {
    /// The largest difference of an element; NaN if an element is NaN.
    let value: Double
    /// The largest difference allowed.
    let tolerance: Double

    var isTolerable: Bool { value <= tolerance }

    static func < (a: Self, b: Self) -> Bool { a.excess < b.excess }

    private var excess: Double {
        if value == 0 { return 0 }
        return value.isNaN ? .infinity : value / tolerance
    }

    /// The difference of sums of `terms` products, each rounded to `epsilon` of itself.
    ///
    /// Rounding errors have random signs, so their sum grows with the root of their number; the
    /// factor 4 covers the errors of the terms. The tolerance is relative to the largest element,
    /// because small elements come from cancellation.
    init(
        _ actual: [Double], _ expected: [Double], terms: Int,
        epsilon: Double = Double(Float.ulpOfOne)
    ) {
        precondition(actual.count == expected.count)
        let differences = zip(actual, expected).map { abs($0 - $1) }
        value = differences.contains(where: \.isNaN) ? .nan : differences.max() ?? 0
        let largest = expected.reduce(0) { max($0, abs($1)) }
        tolerance = epsilon * (Double(terms).squareRoot() + 4) * largest
    }

    /// The difference of outputs that must be exactly equal.
    init(exactly actual: [Double], _ expected: [Double]) {
        self.init(actual, expected, terms: 0, epsilon: 0)
    }
}

extension SeededGenerator {
    /// `count` numbers spread evenly over `range`.
    mutating func floats(_ count: Int, in range: ClosedRange<Float> = -1...1) -> FloatBuffer {
        let buffer = FloatBuffer(count: count)
        for index in 0..<count { buffer[index] = Float.random(in: range, using: &self) }
        return buffer
    }
}

extension AlignedBuffer<Float> {
    /// The elements for the reference.
    var doubles: [Double] { array.map(Double.init) }
}
