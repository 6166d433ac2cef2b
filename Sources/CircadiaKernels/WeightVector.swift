/// A vector of weights, such as a norm's, or of constants that depend on the model's shape only.
///
/// It is `@unchecked Sendable` because it contains memory. That is sound: it allocates the memory
/// itself, and nobody writes to it afterwards, because it exposes a read-only pointer.
package final class WeightVector: @unchecked Sendable {
    private let buffer: FloatBuffer

    /// Copies `elements`.
    package init(_ elements: some Collection<Float>) {
        buffer = FloatBuffer(elements)
    }

    /// The first element; 64-byte aligned, valid as long as the vector exists.
    package var pointer: UnsafePointer<Float> { UnsafePointer(buffer.pointer) }

    /// The number of elements.
    package var count: Int { buffer.count }

    /// A copy as an array.
    package var array: [Float] { buffer.array }

    /// Element `index`; traps outside `0 ..< count` in debug builds.
    package subscript(index: Int) -> Float { buffer[index] }
}
