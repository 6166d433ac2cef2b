import CircadiaKernels

/// Aligned memory that grows at its end.
struct GrowingBuffer<Element: BitwiseCopyable> {
    private var owner: AnyObject
    private var capacity: Int
    /// The first element; valid until the buffer grows.
    private(set) var pointer: UnsafeMutablePointer<Element>
    /// Elements in use.
    private(set) var count = 0

    init() {
        let storage = AlignedBuffer<Element>(count: 0)
        owner = storage
        capacity = 0
        pointer = storage.pointer
    }

    /// Takes over `count` elements at the beginning of `section`.
    init(_ section: MappedSection, count: Int) {
        owner = section
        capacity = section.byteCount / MemoryLayout<Element>.stride
        pointer = section.pointer.bindMemory(to: Element.self, capacity: capacity)
        self.count = count
    }

    /// The elements' bytes.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: pointer, count: count * MemoryLayout<Element>.stride)
    }

    /// Makes room for `capacity` elements in all.
    mutating func reserve(_ capacity: Int) {
        if capacity <= self.capacity { return }
        let larger = AlignedBuffer<Element>(uninitializedCount: capacity)
        larger.pointer.update(from: pointer, count: count)
        owner = larger
        self.capacity = capacity
        pointer = larger.pointer
    }

    /// Adds elements of undefined value.
    ///
    /// - Returns: where they begin.
    mutating func extend(by more: Int) -> UnsafeMutablePointer<Element> {
        if count + more > capacity { reserve(max(count + more, count + count / 2, 256)) }
        defer { count += more }
        return pointer + count
    }

    mutating func append(_ element: Element) { extend(by: 1).initialize(to: element) }

    /// Drops what lies behind the first `count` elements.
    mutating func truncate(to count: Int) { self.count = min(self.count, count) }

    subscript(_ index: Int) -> Element {
        get { pointer[index] }
        nonmutating set { pointer[index] = newValue }
    }
}
