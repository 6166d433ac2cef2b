/// Scratch memory lent to kernels: grows to the largest request and is used again, so that after the
/// first pass nothing is allocated. One workspace serves one thread of calls.
package final class Workspace {
    private var buffer = AlignedBuffer<UInt8>(count: 0)

    /// An empty workspace.
    package init() {}

    /// At least `byteCount` bytes, 64-byte aligned; their contents are undefined. The pointer stays
    /// valid until the next call.
    func bytes(_ byteCount: Int) -> UnsafeMutableRawPointer {
        if buffer.count < byteCount {
            buffer = AlignedBuffer(count: byteCount + byteCount / 4)
        }
        return UnsafeMutableRawPointer(buffer.pointer)
    }

    /// The bytes held now.
    package var byteCount: Int { buffer.count }
}
