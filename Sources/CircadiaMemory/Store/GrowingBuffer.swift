import CircadiaKernels

/// Aligned memory that grows at its end.
struct GrowingBuffer<Element: BitwiseCopyable> {
    private var storage: AlignedBuffer<Element>
    /// The first element; valid until the buffer grows.
    private(set) var pointer: UnsafeMutablePointer<Element>
    /// Elements in use.
    private(set) var count = 0

    init() {
        storage = AlignedBuffer(count: 0)
        pointer = storage.pointer
    }

    /// Makes room for `capacity` elements in all.
    mutating func reserve(_ capacity: Int) {
        if capacity <= storage.count { return }
        let larger = AlignedBuffer<Element>(uninitializedCount: capacity)
        larger.pointer.update(from: pointer, count: count)
        storage = larger
        pointer = larger.pointer
    }

    /// Adds elements of undefined value.
    ///
    /// - Returns: where they begin.
    mutating func extend(by more: Int) -> UnsafeMutablePointer<Element> {
        if count + more > storage.count { reserve(max(count + more, count + count / 2, 256)) }
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
