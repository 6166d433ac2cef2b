import CircadiaKernels

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

/// One shape of one kernel with its inputs: the call to make, and what must come out.
struct CrossCheckCase: Sendable {
    /// Shape and seed, for the message of a failure.
    let label: String
    let call: KernelCall
    /// The call's outputs by ReferenceKernels.
    let expected: @Sendable () -> [Expected]

    init(label: String, call: KernelCall, expected: @escaping @Sendable () -> [Expected]) {
        self.label = label
        self.call = call
        self.expected = expected
    }
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
