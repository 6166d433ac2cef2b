import CircadiaKernels
import CircadiaModel

/// One call, or a few, of kernels on shapes of real models, and what they should have given.
///
/// The test suite checks every variant at every size; this finds out whether the ones in use work
/// on the processor at hand.
package struct KernelCheck: Sendable {
    /// The kernels, by their names in the registry, that the call runs.
    let kernels: [String]
    /// Makes the call and compares.
    let run: @Sendable () -> [KernelDifference]

    static let all =
        matmulChecks + searchChecks + attentionChecks + elementwiseChecks + trainingChecks

    /// What came of the check of one kernel.
    package struct Outcome: Encodable, Sendable {
        /// The kernel, by its name in the registry.
        package let kernel: String
        /// The active variant.
        package let variant: String
        /// Whether every difference is tolerable.
        package let ok: Bool
        /// Of the outputs' differences from the reference the one nearest to its tolerance, or
        /// furthest beyond.
        package let difference: Double
        /// How large the difference may be.
        package let tolerance: Double
    }

    /// Checks every active variant; one without a check counts as failed.
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
    /// The largest difference of an element; NaN where one is.
    let value: Double
    /// How large it may be.
    let tolerance: Double

    var isTolerable: Bool { value <= tolerance }

    static func < (a: Self, b: Self) -> Bool { a.excess < b.excess }

    private var excess: Double {
        if value == 0 { return 0 }
        return value.isNaN ? .infinity : value / tolerance
    }

    /// The difference of sums of `terms` products, each rounded to `epsilon` of itself.
    ///
    /// Roundings walk, so their sum grows with the root of their number; 4 covers those of the
    /// terms. They are relative to the largest element, because small ones are what cancelled.
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

    /// The difference of what must be the same number exactly.
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
