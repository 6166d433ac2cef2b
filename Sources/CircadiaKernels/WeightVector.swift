/// A vector of a model's weights, such as a norm's, or of constants that follow from its shape.
///
/// `@unchecked Sendable` because of the memory behind it. That is sound: it makes the memory itself, and
/// nobody writes to it afterwards, since only a pointer for reading comes out.
package final class WeightVector: @unchecked Sendable {
    private let buffer: FloatBuffer

    /// A copy of `elements`.
    package init(_ elements: some Collection<Float>) {
        buffer = FloatBuffer(elements)
    }

    /// The first element; 64-byte aligned, valid as long as the vector is there.
    package var pointer: UnsafePointer<Float> { UnsafePointer(buffer.pointer) }

    /// The number of elements.
    package var count: Int { buffer.count }

    /// A copy as an array.
    package var array: [Float] { buffer.array }

    /// Element `index`; trapping outside `0 ..< count` in debug builds.
    package subscript(index: Int) -> Float { buffer[index] }
}
