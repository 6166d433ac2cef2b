import CircadiaKernels
import Foundation
import PeakArithmetic

/// The limits of this machine, measured in the same run as the kernels.
struct Limits {
    enum Limit {
        /// Reading memory.
        case bandwidth
        /// The multiply-add of the kernel's active variant.
        case arithmetic(kernel: String)
    }

    let threads: Int
    /// Bytes a second that all threads read together.
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

    /// The larger value of each limit in two measurements. Other work on the machine can only lower
    /// one.
    func merged(with other: Limits) -> Limits {
        Limits(
            threads: threads, bandwidth: max(bandwidth, other.bandwidth),
            arithmetic: arithmetic.merging(other.arithmetic, uniquingKeysWith: max))
    }

    /// The limit in bytes or operations a second; nil if it was not measured.
    subscript(limit: Limit) -> Double? {
        switch limit {
        case .bandwidth: bandwidth
        case .arithmetic(let kernel): arithmetic[kernel]
        }
    }

    /// The most operations a second in several attempts; nil if no loop exists for the variant.
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
