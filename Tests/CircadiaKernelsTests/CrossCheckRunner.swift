import CircadiaTestSupport

import CircadiaKernels

/// Runs cross-checks and says what is wrong.
struct CrossCheckRunner {
    /// In elements of each operand: for f32, on a 64-byte border, one float past it, and off 16
    /// bytes as well.
    static let misalignments = [0, 1, 5]

    let executor: any KernelExecutor

    /// Checks one variant on every case of its kernel: the scalar variants against the reference,
    /// this one against both, for each misalignment and thread count, the bits being the same for
    /// every thread count.
    ///
    /// - Returns: the failures, at most one a case.
    func failures(of variant: VariantName) -> [String] {
        var failures: [String] = []
        for check in CrossCheck.all where check.kernels.contains(variant.kernel) {
            for item in check.cases() {
                if let failure = failure(of: item, variant: variant) {
                    failures.append("\(variant.testDescription), \(item.label): \(failure)")
                }
            }
        }
        return failures
    }

    private func failure(of item: CrossCheckCase, variant: VariantName) -> String? {
        do {
            return try mismatch(of: item, variant: variant)
        } catch {
            return "\(error)"
        }
    }

    private func mismatch(of item: CrossCheckCase, variant: VariantName) throws -> String? {
        let expected = item.expected()
        let scalar = try executor.run(item.call, on: nil, misalignment: 0, threads: 1)
        if let fault = scalar.fault { return "scalar: \(fault)" }
        if let failure = Self.compare(scalar.outputs, expected, scale: 1) {
            return "scalar: \(failure)"
        }
        for misalignment in Self.misalignments {
            var first: [[Double]]?
            for threads in executor.threadCounts {
                let outcome = try executor.run(
                    item.call, on: variant, misalignment: misalignment, threads: threads)
                let results = outcome.outputs
                let place = "misalignment \(misalignment), \(threads) threads: "
                if let fault = outcome.fault { return place + fault }
                if let failure = Self.compare(results, expected, scale: 1) {
                    return place + failure
                }
                let beside = zip(scalar.outputs, expected).map {
                    Expected($0, tolerance: $1.tolerance)
                }
                if let failure = Self.compare(results, beside, scale: 2) {
                    return place + "against scalar: " + failure
                }
                if let first, !Self.sameBits(first, results) {
                    return place + "bits differ from those of 1 thread"
                }
                first = first ?? results
            }
        }
        return nil
    }

    /// The first mismatch of any output, with `scale` times the tolerances.
    private static func compare(
        _ results: [[Double]], _ expected: [Expected], scale: Double
    ) -> String? {
        guard results.count == expected.count else {
            return "\(results.count) outputs instead of \(expected.count)"
        }
        for (index, (result, output)) in zip(results, expected).enumerated() {
            let mismatch = Comparison.mismatch(
                result, output.values, tolerance: output.tolerance.map { $0 * scale })
            if let mismatch { return "output \(index): \(mismatch)" }
        }
        return nil
    }

    private static func sameBits(_ a: [[Double]], _ b: [[Double]]) -> Bool {
        a.count == b.count
            && zip(a, b).allSatisfy { $0.map(\.bitPattern) == $1.map(\.bitPattern) }
    }
}
