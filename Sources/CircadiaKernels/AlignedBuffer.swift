#if canImport(Glibc)
    import Glibc
#endif

/// Memory that kernels read and write: 64-byte aligned, zeroed at first, freed with the object.
///
/// Large buffers lie in huge pages where Linux has them: weights and caches are streamed, and with
/// pages of 4 KB a core reads a quarter less a second (25 against 32 GB/s where it was measured).
///
/// The buffer does no synchronisation, so it is not `Sendable`: it stays with whoever writes to it.
package final class AlignedBuffer<Element: BitwiseCopyable> {
    /// The first element; 64-byte aligned.
    package let pointer: UnsafeMutablePointer<Element>
    /// The number of elements.
    package let count: Int

    /// Allocates `count` elements, all bits zero.
    package convenience init(count: Int) {
        self.init(uninitializedCount: count)
        let byteCount = max(64, byteCount)
        UnsafeMutableRawPointer(pointer).initializeMemory(
            as: UInt8.self, repeating: 0, count: byteCount)
    }

    /// Allocates `count` elements whose values are undefined, for callers that write them all.
    package init(uninitializedCount count: Int) {
        precondition(count >= 0, "a buffer cannot hold \(count) elements")
        let byteCount = max(64, count * MemoryLayout<Element>.stride)
        let raw: UnsafeMutableRawPointer
        if byteCount >= hugePage {
            raw = .allocate(byteCount: byteCount, alignment: hugePage)
            #if os(Linux)
                // A hint: without huge pages the memory is there all the same.
                madvise(raw, byteCount, Int32(MADV_HUGEPAGE))
            #endif
        } else {
            raw = .allocate(byteCount: byteCount, alignment: 64)
        }
        pointer = raw.bindMemory(to: Element.self, capacity: max(1, count))
        self.count = count
    }

    /// Allocates a copy of `elements`.
    package convenience init(_ elements: some Collection<Element>) {
        self.init(count: elements.count)
        var index = 0
        for element in elements {
            pointer[index] = element
            index += 1
        }
    }

    deinit {
        UnsafeMutableRawPointer(pointer).deallocate()
    }

    /// The bytes that the elements take.
    package var byteCount: Int { count * MemoryLayout<Element>.stride }

    /// Element `index`; trapping outside `0 ..< count` in debug builds.
    package subscript(index: Int) -> Element {
        get {
            assert(index >= 0 && index < count)
            return pointer[index]
        }
        set {
            assert(index >= 0 && index < count)
            pointer[index] = newValue
        }
    }

    /// A copy as an array.
    package var array: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}

/// Bytes of a huge page on x86-64 and, with pages of 4 KB, on aarch64.
private let hugePage = 2 << 20

/// f32 memory, the currency of every kernel.
package typealias FloatBuffer = AlignedBuffer<Float>
