#if canImport(Glibc)
    import Glibc
#endif

/// Memory for kernels: 64-byte aligned, zeroed at first, freed with the object.
///
/// On Linux, large buffers use huge pages. Weights and caches are streamed, and with pages of 4 KB
/// a core reads a quarter less per second (25 instead of 32 GB/s when measured).
///
/// The buffer does not synchronise, so it is not `Sendable`. It stays with the code that writes to
/// it.
package final class AlignedBuffer<Element: BitwiseCopyable> {
    /// The first element; 64-byte aligned, valid as long as the buffer exists.
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

    /// Allocates `count` elements with undefined values, for callers that write all of them.
    package init(uninitializedCount count: Int) {
        precondition(count >= 0, "a buffer cannot hold \(count) elements")
        let byteCount = max(64, count * MemoryLayout<Element>.stride)
        let raw: UnsafeMutableRawPointer
        if byteCount >= hugePage {
            raw = .allocate(byteCount: byteCount, alignment: hugePage)
            #if os(Linux)
                // This is a hint: without huge pages the memory works too.
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

    /// The size of the elements in bytes.
    package var byteCount: Int { count * MemoryLayout<Element>.stride }

    /// Element `index`; traps outside `0 ..< count` in debug builds.
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

/// Size of a huge page in bytes, on x86-64 and on aarch64 with pages of 4 KB.
private let hugePage = 2 << 20

/// f32 memory, the operand type of most kernels.
package typealias FloatBuffer = AlignedBuffer<Float>
