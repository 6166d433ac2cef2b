import CircadiaKernels
import Foundation
import PeakArithmetic

/// What this machine could do at best, measured in the same run as what is compared with it.
struct Limits {
    enum Limit {
        /// Reading memory.
        case bandwidth
        /// The multiply-add that a kernel's active variant is made of.
        case arithmetic(kernel: String)
    }

    let threads: Int
    /// Bytes a second that all threads read.
    let bandwidth: Double
    /// Operations a second of all threads, by kernel.
    private let arithmetic: [String: Double]

    static func measure() -> Limits {
        let threads = KernelRuntime.threads
        let buffer = MemoryBandwidth.makeBuffer(
            physicalMemory: ProcessInfo.processInfo.physicalMemory)
        let bandwidth = MemoryBandwidth.measure(
            buffer, threads: threads, duration: .milliseconds(500))
        Threads.rest()
        var arithmetic: [String: Double] = [:]
        for variant in KernelRuntime.variants where variant.isActive {
            arithmetic[variant.kernel] = peak(of: variant, threads: threads)
        }
        return Limits(threads: threads, bandwidth: bandwidth, arithmetic: arithmetic)
    }

    /// The larger of each of two measurements: other work on the machine can only lower one.
    func merged(with other: Limits) -> Limits {
        Limits(
            threads: threads, bandwidth: max(bandwidth, other.bandwidth),
            arithmetic: arithmetic.merging(other.arithmetic, uniquingKeysWith: max))
    }

    /// The limit in bytes or operations a second, where it was measured.
    subscript(limit: Limit) -> Double? {
        switch limit {
        case .bandwidth: bandwidth
        case .arithmetic(let kernel): arithmetic[kernel]
        }
    }

    /// The most operations a second of several attempts; nil where there is no loop for a variant.
    private static func peak(of variant: KernelRuntime.Variant, threads: Int) -> Double? {
        let (kernel, name) = (variant.kernel, variant.name)
        guard peak_arithmetic(kernel, name, 1) > 0 else { return nil }
        let rounds: Int64 = 300_000  // about a millisecond
        var most = 0.0
        for _ in 0..<50 {
            let time = ContinuousClock().measure {
                DispatchQueue.concurrentPerform(iterations: threads) { _ in
                    _ = peak_arithmetic(kernel, name, rounds)
                }
            }
            let operations = peak_arithmetic(kernel, name, 1) * rounds * Int64(threads)
            most = max(most, Double(operations) / (time / .seconds(1)))
        }
        return most
    }
}
