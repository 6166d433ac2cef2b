import CircadiaKernels

/// A kernel on a shape, to be timed.
struct Benchmark {
    /// What a call does, which decides the unit of its rate.
    enum Work {
        /// Bytes that have to pass between memory (or a cache) and the processor.
        case bytes(Int)
        /// Multiplications and additions, counted apart: f32 and bf16.
        case flops(Int)
        /// The same of integers.
        case integerOperations(Int)

        var amount: Double {
            switch self {
            case .bytes(let count), .flops(let count), .integerOperations(let count): Double(count)
            }
        }

        /// Of a thousand million a second.
        var unit: String {
            switch self {
            case .bytes: "GB/s"
            case .flops: "GFLOP/s"
            case .integerOperations: "GOP/s"
            }
        }
    }

    /// Its name in the registry of kernels, such as `attention`.
    let kernel: String
    /// Who runs it where that is no kernel of ours.
    var peer: String?
    let shape: String
    let work: Work
    /// What it cannot exceed; nil where nothing honest can be named.
    let limit: Limits.Limit?
    /// Makes call number `index`; calls take turns over copies of what comes from memory.
    var call: (_ index: Int) -> Void

    /// The description alone, so that operands are freed once they are measured.
    var withoutOperands: Benchmark {
        var copy = self
        copy.call = { _ in }
        return copy
    }

    /// The fastest of many short batches of calls, in seconds a call: whatever else the machine
    /// does can only slow one down, and the limits are measured the same way.
    ///
    /// A batch takes half a millisecond at the limit's speed; how many calls that is must not be
    /// found by timing some, which on a busy machine may take a hundred times too long.
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

    /// Seconds of a batch, inside a team as in a forward pass.
    private func run(_ batch: Int, _ index: inout Int) -> Double {
        let first = index
        index += batch
        let calls = { for number in first..<first + batch { call(number) } }
        return ContinuousClock().measure {
            if peer == nil { KernelRuntime.withTeam(calls) } else { calls() }
        } / .seconds(1)
    }
}
