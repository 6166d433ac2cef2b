import CKernels

/// Measures how many bytes a second this machine reads from memory. That limits every kernel that
/// reads its weights once, such as decoding.
package enum MemoryBandwidth {
    /// Allocates a buffer too large for any cache: 256 MB, or less if memory is small.
    ///
    /// `physicalMemory` is in bytes. The buffer takes at most a quarter of it.
    package static func makeBuffer(physicalMemory: UInt64) -> AlignedBuffer<UInt64> {
        AlignedBuffer(count: Int(min(256 << 20, physicalMemory / 4)) / 8)
    }

    /// Measures the bytes a second of the fastest slice of `buffer`, which is read at least twice.
    ///
    /// Other work on the machine can only slow a slice down, and lasts longer than a slice. No
    /// slice comes from a cache, because all other slices were read in between.
    ///
    /// - Parameters:
    ///   - buffer: from `makeBuffer`.
    ///   - threads: the number of threads that read.
    ///   - duration: how long to measure.
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

    /// 32 MB: about a millisecond, so that starting threads takes no noticeable time.
    private static let sliceWords = 4 << 20
}
