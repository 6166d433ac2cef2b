/// What can go wrong before a kernel runs. Wrong shapes are programmer mistakes and trap instead.
package enum KernelError: Error, Sendable, Equatable {
    /// `CIRCADIA_ISA` (or a test) named something that does not exist.
    case unknownISA(requested: String, choices: String)
    /// The ISA exists but this processor cannot run it.
    case unsupportedISA(requested: String, choices: String)
    /// `KernelRuntime.configure` came too late: kernels run with these settings already.
    case alreadyConfigured(isa: String, threads: Int)
    /// A matrix comes in a format that no kernel knows.
    case unsupportedFormat(bits: Int, groupSize: Int)
}
