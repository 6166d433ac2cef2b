/// Memory that kernels read and write: 64-byte aligned, zeroed at first, freed with the object.
///
/// The buffer does no synchronisation: whoever holds it decides who writes, which is why it is
/// `@unchecked Sendable`.
public final class AlignedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    /// The first element; 64-byte aligned.
    public let pointer: UnsafeMutablePointer<Element>
    /// The number of elements.
    public let count: Int

    /// Allocates `count` elements, all bits zero.
    public init(count: Int) {
        precondition(count >= 0, "a buffer cannot hold \(count) elements")
        let byteCount = max(64, count * MemoryLayout<Element>.stride)
        let raw = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
        raw.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        pointer = raw.bindMemory(to: Element.self, capacity: max(1, count))
        self.count = count
    }

    /// Allocates a copy of `elements`.
    public convenience init(_ elements: some Collection<Element>) {
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
    public var byteCount: Int { count * MemoryLayout<Element>.stride }

    /// Element `index`; trapping outside `0 ..< count` in debug builds.
    public subscript(index: Int) -> Element {
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
    public var array: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}

/// f32 memory, the currency of every kernel.
public typealias FloatBuffer = AlignedBuffer<Float>
