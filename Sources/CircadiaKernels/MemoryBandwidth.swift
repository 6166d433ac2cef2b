import CKernels

/// How many bytes a second this machine reads from memory: the limit of every kernel that passes
/// over its weights once, such as decoding.
public enum MemoryBandwidth {
    /// Words enough that no cache holds them: 512 MB, less where memory is small.
    ///
    /// `physicalMemory`: in bytes; a quarter of it at most is taken.
    public static func makeBuffer(physicalMemory: UInt64) -> AlignedBuffer<UInt64> {
        AlignedBuffer(count: Int(min(512 << 20, physicalMemory / 4)) / 8)
    }

    /// The fastest of several passes over `buffer`, in bytes a second: whatever else the machine
    /// does can only slow a pass down.
    ///
    /// - Parameters:
    ///   - buffer: from `makeBuffer`.
    ///   - threads: the threads that read; `KernelRuntime.threads` is as before afterwards.
    ///   - duration: how long to go on; at least three passes are made.
    /// - Returns: bytes a second.
    public static func measure(
        _ buffer: AlignedBuffer<UInt64>, threads: Int, duration: Duration = .milliseconds(150)
    ) -> Double {
        let before = KernelRuntime.threads
        KernelRuntime.threads = threads
        defer { KernelRuntime.threads = before }
        let clock = ContinuousClock()
        let end = clock.now + duration
        var fastest = Duration.seconds(1 << 20)
        var passes = 0
        while passes < 3 || clock.now < end {
            let time = clock.measure {
                _ = ck_read_words(buffer.pointer, Int64(buffer.count))
            }
            fastest = min(fastest, time)
            passes += 1
        }
        return Double(buffer.byteCount) / (fastest / .seconds(1))
    }
}
