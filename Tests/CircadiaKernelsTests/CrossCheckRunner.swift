import CircadiaKernels
import CircadiaTestSupport

/// Runs cross-checks and says what is wrong.
enum CrossCheckRunner {
    static let threadCounts = [1, 2, 8]
    /// In floats: on a 64-byte border, one float past it, and off 16 bytes as well.
    static let misalignments = [0, 1, 5]

    /// Checks one variant on every case of its kernel: the scalar variants against the reference,
    /// this one against both, for each misalignment and thread count, the bits being the same for
    /// every thread count.
    ///
    /// - Returns: the failures, at most one a case.
    static func failures(kernel: String, variant: String) throws -> [String] {
        var failures: [String] = []
        for check in CrossCheck.all where check.kernels.contains(kernel) {
            for item in check.cases() {
                if let failure = try failure(of: item, kernel: kernel, variant: variant) {
                    failures.append("\(kernel)/\(variant), \(item.label): \(failure)")
                }
            }
        }
        return failures
    }

    private static func failure(
        of item: CrossCheckCase, kernel: String, variant: String
    ) throws -> String? {
        let expected = item.expected()
        try KernelRuntime.use(isa: "scalar")
        KernelRuntime.threads = 1
        let scalar = item.run(KernelMemory(misalignment: 0))
        if let failure = compare(scalar, expected, scale: 1) { return "scalar: \(failure)" }

        try KernelRuntime.use(variant: variant, of: kernel)
        for misalignment in misalignments {
            var first: [[Double]]?
            for threads in threadCounts {
                KernelRuntime.threads = threads
                let memory = KernelMemory(misalignment: misalignment)
                let results = item.run(memory)
                let place = "misalignment \(misalignment), \(threads) threads: "
                if let trespass = memory.trespass { return place + trespass }
                if let failure = compare(results, expected, scale: 1) { return place + failure }
                let beside = zip(scalar, expected).map { Expected($0, tolerance: $1.tolerance) }
                if let failure = compare(results, beside, scale: 2) {
                    return place + "against scalar: " + failure
                }
                if let first, !sameBits(first, results) {
                    return place + "bits differ from those of 1 thread"
                }
                first = first ?? results
            }
        }
        return nil
    }

    /// The first mismatch of any output, with `scale` times the tolerances.
    static func compare(_ results: [[Double]], _ expected: [Expected], scale: Double) -> String? {
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
