/// Errors before a kernel runs. Wrong shapes are programmer mistakes and trap instead.
package enum KernelError: Error, Sendable, Equatable {
    /// `CIRCADIA_ISA` or a caller named an instruction set or variant that does not exist.
    case unknownISA(requested: String, choices: String)
    /// This processor cannot run the ISA.
    case unsupportedISA(requested: String, choices: String)
    /// `KernelRuntime.configure` was called too late: kernels already run with these settings.
    case alreadyConfigured(isa: String, threads: Int)
    /// No kernel supports the format of a matrix.
    case unsupportedFormat(bits: Int, groupSize: Int)
}
