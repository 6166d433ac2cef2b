import CircadiaKernels
import CircadiaTestSupport

/// The memory of one run: every array that a kernel is given lies between guards.
final class KernelMemory {
    private let misalignment: Int
    private var inputs: [(buffer: GuardedBuffer<Float>, original: [Float])] = []
    private var outputs: [GuardedBuffer<Float>] = []
    let workspace = Workspace()

    /// Arrays begin `misalignment` floats off a 64-byte border.
    init(misalignment: Int) {
        self.misalignment = misalignment
    }

    /// Memory that the kernel may only read.
    func input(_ values: [Float]) -> UnsafePointer<Float> {
        let buffer = GuardedBuffer(values, misalignment: misalignment)
        inputs.append((buffer, values))
        return UnsafePointer(buffer.pointer)
    }

    /// Memory that the kernel writes.
    func output(_ initial: [Float]) -> UnsafeMutablePointer<Float> {
        let buffer = GuardedBuffer(initial, misalignment: misalignment)
        outputs.append(buffer)
        return buffer.pointer
    }

    /// Memory that the kernel must overwrite: NaN at first.
    func output(count: Int) -> UnsafeMutablePointer<Float> {
        output([Float](repeating: .nan, count: count))
    }

    /// What the outputs hold now, in the order in which they were asked for.
    var results: [[Double]] { outputs.map { $0.contents.map(Double.init) } }

    /// What the kernel wrote where it must not, or nil.
    var trespass: String? {
        for (index, output) in outputs.enumerated() {
            if let overrun = output.overrun { return "output \(index) overrun at \(overrun)" }
        }
        for (index, input) in inputs.enumerated() {
            if let overrun = input.buffer.overrun { return "input \(index) overrun at \(overrun)" }
            let same = zip(input.buffer.contents, input.original).allSatisfy {
                $0.bitPattern == $1.bitPattern
            }
            if !same { return "input \(index) was written to" }
        }
        return nil
    }
}

/// One output as it should be.
struct Expected: Sendable {
    var values: [Double]
    /// How far each element of an f32 computation may be off.
    var tolerance: [Double]

    init(_ values: [Double], tolerance: [Double]) {
        self.values = values
        self.tolerance = tolerance
    }

    /// The same values with a tolerance for each.
    init(_ values: [Double], tolerance: (Int) -> Double) {
        self.init(values, tolerance: values.indices.map(tolerance))
    }
}

/// One shape of one kernel with its inputs: how to run it, and what must come out.
struct CrossCheckCase: Sendable {
    /// Shape and seed, for the message of a failure.
    let label: String
    /// Runs the active variant on arrays of `memory`; returns its outputs.
    let run: @Sendable (KernelMemory) -> [[Double]]
    /// The same outputs by ReferenceKernels.
    let expected: @Sendable () -> [Expected]
}

/// The check of one or more kernels of the registry, over many shapes.
struct CrossCheck: Sendable {
    /// The registry's names of the kernels that a run goes through.
    let kernels: Set<String>
    /// The shapes, made when they are asked for: packing all matrices takes a moment.
    let cases: @Sendable () -> [CrossCheckCase]

    init(kernels: Set<String>, cases: @autoclosure @escaping @Sendable () -> [CrossCheckCase]) {
        self.kernels = kernels
        self.cases = cases
    }

    /// Every check there is. A kernel of the registry that none names fails `everyKernelIsChecked`.
    static let all: [CrossCheck] =
        normChecks + elementwiseChecks + attentionChecks + attentionBackwardChecks + lossChecks
        + loraChecks + searchChecks + matmulChecks

    /// Element counts around the widths of vectors, an odd one, and one for many threads.
    static let counts = [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97, 1536, 40_009]
    /// Row widths around the widths of vectors, an odd one, and real ones.
    static let widths = [1, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 97, 384, 576]
}

let epsilon = Double(Float.ulpOfOne)

extension Array where Element == Float {
    /// The same numbers in double precision.
    var doubles: [Double] { map(Double.init) }
}

extension Array where Element == Double {
    /// The numbers rounded to f32.
    var floats: [Float] { map { Float($0) } }
    /// Absolute values, for the magnitudes of sums.
    var magnitudes: [Double] { map(abs) }
}
