import CKernels

/// How many bytes a second this machine reads from memory: the limit of every kernel that passes
/// over its weights once, such as decoding.
package enum MemoryBandwidth {
    /// Words enough that no cache holds them: 256 MB, less where memory is small.
    ///
    /// `physicalMemory`: in bytes; a quarter of it at most is taken.
    package static func makeBuffer(physicalMemory: UInt64) -> AlignedBuffer<UInt64> {
        AlignedBuffer(count: Int(min(256 << 20, physicalMemory / 4)) / 8)
    }

    /// The bytes a second of the fastest slice of `buffer`, which is passed over at least twice.
    ///
    /// Whatever else the machine does can only slow a slice down, and takes the processor for
    /// longer than a slice lasts. No slice comes from a cache: all the others were read since.
    ///
    /// - Parameters:
    ///   - buffer: from `makeBuffer`.
    ///   - threads: the threads that read.
    ///   - duration: how long to go on.
    /// - Returns: bytes a second.
    package static func measure(
        _ buffer: AlignedBuffer<UInt64>, threads: Int, duration: Duration = .milliseconds(150)
    ) -> Double {
        KernelRuntime.withThreads(threads) { fastest(buffer, duration: duration) }
    }

    private static func fastest(_ buffer: AlignedBuffer<UInt64>, duration: Duration) -> Double {
        let clock = ContinuousClock()
        let end = clock.now + duration
        let words = min(sliceWords, buffer.count)
        var fastest = Duration.seconds(1 << 20)
        var passes = 0
        while passes < 2 || clock.now < end {
            for first in stride(from: 0, through: buffer.count - words, by: words) {
                let time = clock.measure {
                    _ = ck_read_words(buffer.pointer + first, Int64(words))
                }
                fastest = min(fastest, time)
            }
            passes += 1
        }
        return Double(words * 8) / (fastest / .seconds(1))
    }

    /// 32 MB: about a millisecond, beside which starting threads takes no time.
    private static let sliceWords = 4 << 20
}
