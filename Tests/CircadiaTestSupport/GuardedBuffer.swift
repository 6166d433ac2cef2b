/// Memory for a kernel under test, between two guards of known bytes and off alignment at will, so
/// that a write outside it does not go unseen.
package final class GuardedBuffer<Element: BitwiseCopyable & Sendable> {
    private static var guardByteCount: Int { 256 }
    private static var guardByte: UInt8 { 0xa5 }
    private let base: UnsafeMutableRawPointer
    private let byteCount: Int
    private let offset: Int
    /// The first element.
    package let pointer: UnsafeMutablePointer<Element>
    /// The number of elements.
    package let count: Int

    /// A copy of `elements` that begins `misalignment` elements after a multiple of 64 bytes.
    package init(_ elements: [Element], misalignment: Int = 0) {
        count = elements.count
        offset = Self.guardByteCount + misalignment * MemoryLayout<Element>.stride
        byteCount = offset + count * MemoryLayout<Element>.stride + Self.guardByteCount
        base = .allocate(byteCount: byteCount, alignment: 64)
        base.initializeMemory(as: UInt8.self, repeating: Self.guardByte, count: byteCount)
        pointer = (base + offset).bindMemory(to: Element.self, capacity: max(1, count))
        pointer.initialize(from: elements, count: count)
    }

    deinit {
        base.deallocate()
    }

    /// The elements now.
    package var contents: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

    /// How far outside the buffer the first changed guard byte lies: negative before its start,
    /// counted from its end otherwise; nil where the guards are whole.
    package var overrun: Int? {
        let bytes = UnsafeRawBufferPointer(start: base, count: byteCount)
        let end = byteCount - Self.guardByteCount
        if let index = bytes[..<offset].lastIndex(where: { $0 != Self.guardByte }) {
            return index - offset
        }
        return bytes[end...].firstIndex { $0 != Self.guardByte }.map { $0 - end }
    }
}
