import Testing

import CircadiaKernels

/// A line of the registry, as an argument of tests.
struct VariantName: Sendable, Equatable, Codable, CustomTestStringConvertible {
    let kernel: String
    let name: String
    let isa: String
    let isSupported: Bool
    let isActive: Bool

    var testDescription: String { "\(kernel)/\(name)" }
}

/// What a call came to.
struct KernelOutcome {
    /// The outputs, in the order of the call's operands.
    var outputs: [[Double]]
    /// What no kernel may do: a write outside its outputs, or an error status; nil where all is
    /// well.
    var fault: String?
}

/// Makes calls of CKernels, on this processor or an emulated one.
protocol KernelExecutor {
    /// The thread counts that it can be asked for.
    var threadCounts: [Int] { get }

    /// Makes one call with `variant`, every other kernel being scalar; with nil all are. Operands
    /// begin `misalignment` of their elements off a 64-byte border.
    ///
    /// - Throws: what kept the call from being made, or from coming to an end.
    func run(
        _ call: KernelCall, on variant: VariantName?, misalignment: Int, threads: Int
    ) throws -> KernelOutcome
}
