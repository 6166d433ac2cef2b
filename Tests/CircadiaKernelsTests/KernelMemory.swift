import CircadiaTestSupport

import CircadiaKernels

/// The memory of one call: every operand lies between guards.
final class KernelMemory {
    private let operands: [Operand]
    private let buffers: [GuardedBuffer<UInt8>]
    let workspace = Workspace()

    /// Operands begin `misalignment` of their elements off a 64-byte border.
    init(_ call: KernelCall, misalignment: Int) {
        operands = call.operands
        buffers = call.operands.map {
            GuardedBuffer($0.bytes, misalignment: misalignment * $0.element.byteCount)
        }
    }

    /// The bytes of operand `index`.
    func bytes(_ index: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: buffers[index].pointer, count: buffers[index].count)
    }

    /// Operand `index` as numbers of f32.
    func floats(_ index: Int) -> UnsafeMutablePointer<Float> { pointer(index) }

    /// Operand `index` as numbers of f32, or nil where it is absent.
    func optionalFloats(_ index: Int) -> UnsafeMutablePointer<Float>? {
        operands[index].role == .absent ? nil : pointer(index)
    }

    /// Operand `index` as 32-bit integers.
    func integers(_ index: Int) -> UnsafeMutablePointer<Int32> { pointer(index) }

    /// Operand `index` as 32-bit integers, or nil where it is absent.
    func optionalIntegers(_ index: Int) -> UnsafeMutablePointer<Int32>? {
        operands[index].role == .absent ? nil : pointer(index)
    }

    /// Operand `index` as 8-bit integers.
    func smallIntegers(_ index: Int) -> UnsafeMutablePointer<Int8> { pointer(index) }

    /// Operand `index` as numbers of a type that the kernel has for them.
    func pointer<T>(_ index: Int) -> UnsafeMutablePointer<T> {
        UnsafeMutableRawPointer(buffers[index].pointer).bindMemory(
            to: T.self, capacity: buffers[index].count / MemoryLayout<T>.stride)
    }

    /// What a call has left in the memory.
    var outcome: KernelOutcome {
        let outputs = operands.indices.filter { operands[$0].role == .output }
        return KernelOutcome(
            outputs: outputs.map { operands[$0].values(UnsafeRawBufferPointer(bytes($0))) },
            fault: trespass)
    }

    /// What the call wrote where it must not.
    private var trespass: String? {
        for (index, operand) in operands.enumerated() {
            if let overrun = buffers[index].overrun {
                return "operand \(index) overrun at \(overrun)"
            }
            if operand.role == .input && !bytes(index).elementsEqual(operand.bytes) {
                return "operand \(index) was written to"
            }
        }
        return nil
    }
}
