import CircadiaKernels

/// A kernel and a shape to measure.
struct Benchmark {
    /// The work of one call. It decides the unit of the rate.
    enum Work {
        /// Bytes that must move between memory (or a cache) and the processor.
        case bytes(Int)
        /// Multiplications plus additions in f32 or bf16; each counts as one.
        case flops(Int)
        /// Multiplications plus additions of integers.
        case integerOperations(Int)

        var amount: Double {
            switch self {
            case .bytes(let count), .flops(let count), .integerOperations(let count): Double(count)
            }
        }

        /// The unit of 10⁹ per second.
        var unit: String {
            switch self {
            case .bytes: "GB/s"
            case .flops: "GFLOP/s"
            case .integerOperations: "GOP/s"
            }
        }
    }

    /// The kernel's name in the registry, such as `attention`.
    let kernel: String
    /// The library that runs it, if it is not one of our kernels.
    var peer: String?
    let shape: String
    let work: Work
    /// The machine's limit; nil if none can be measured reliably.
    let limit: Limits.Limit?
    /// Makes call number `index`. Calls alternate between copies of operands that come from memory.
    var call: (_ index: Int) -> Void

    /// The benchmark without its operands, so that they are freed after the measurement.
    var withoutOperands: Benchmark {
        var copy = self
        copy.call = { _ in }
        return copy
    }

    /// Measures the fastest of many short batches of calls, in seconds a call. Other work on the
    /// machine can only slow a batch down, and the limits are measured in the same way.
    ///
    /// A batch takes half a millisecond at the limit's speed. The number of calls must not come
    /// from timing some of them, which can take a hundred times too long on a busy machine.
    func measure(seconds: Double, limits: Limits) -> Double {
        if peer != nil { Threads.rest() }
        defer { if peer != nil { Threads.rest() } }
        let speed = limit.flatMap { limits[$0] } ?? limits.bandwidth
        let batch = max(1, Int(5e-4 * speed / work.amount))
        var index = 0
        _ = run(batch, &index)  // warms up
        var fastest = Double.infinity
        var total = 0.0
        var batches = 0
        while batches < 3 || total < seconds {
            let time = run(batch, &index)
            fastest = min(fastest, time / Double(batch))
            total += time
            batches += 1
        }
        return fastest
    }

    /// Seconds of a batch inside a team, as in a forward pass.
    private func run(_ batch: Int, _ index: inout Int) -> Double {
        let first = index
        index += batch
        let calls = { for number in first..<first + batch { call(number) } }
        return ContinuousClock().measure {
            if peer == nil { KernelRuntime.withTeam(calls) } else { calls() }
        } / .seconds(1)
    }
}
