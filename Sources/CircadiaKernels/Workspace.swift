/// Scratch memory for kernels. It grows to the largest request and is reused, so later passes
/// allocate nothing. A workspace is not thread-safe.
package final class Workspace {
    private var buffer = AlignedBuffer<UInt8>(count: 0)

    /// Creates an empty workspace.
    package init() {}

    /// At least `byteCount` bytes, 64-byte aligned, with undefined contents. The pointer stays
    /// valid until the next call.
    func bytes(_ byteCount: Int) -> UnsafeMutableRawPointer {
        if buffer.count < byteCount {
            buffer = AlignedBuffer(count: byteCount + byteCount / 4)
        }
        return UnsafeMutableRawPointer(buffer.pointer)
    }

    /// The number of bytes allocated now.
    package var byteCount: Int { buffer.count }
}
