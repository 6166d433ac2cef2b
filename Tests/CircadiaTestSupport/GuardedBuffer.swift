/// Memory for a kernel under test. It lies between two guards of known bytes, so that a write
/// outside it is detected. It can be misaligned.
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

    /// The present elements.
    package var contents: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

    /// The offset of the first changed guard byte: negative before the buffer's start, counted from
    /// its end otherwise. Nil if the guards are intact.
    package var overrun: Int? {
        let bytes = UnsafeRawBufferPointer(start: base, count: byteCount)
        let end = byteCount - Self.guardByteCount
        if let index = bytes[..<offset].lastIndex(where: { $0 != Self.guardByte }) {
            return index - offset
        }
        return bytes[end...].firstIndex { $0 != Self.guardByte }.map { $0 - end }
    }
}
