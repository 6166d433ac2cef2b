extension KernelError: CustomStringConvertible {
    /// The message shown to people.
    package var description: String {
        switch self {
        case .unknownISA(let requested, let choices):
            "CIRCADIA_ISA: there is no instruction set “\(requested)”; this processor runs: "
                + "\(choices). Unset CIRCADIA_ISA to use the best one."
        case .unsupportedISA(let requested, let choices):
            "CIRCADIA_ISA: this processor cannot run “\(requested)”; it runs: \(choices). "
                + "Unset CIRCADIA_ISA to use the best one."
        case .alreadyConfigured(let isa, let threads):
            "the kernels already run on \(isa) with \(threads) threads, which cannot change while "
                + "the process runs. Set the instruction set and the threads before the first use."
        case .unsupportedFormat(let bits, let groupSize):
            "weights of \(bits) bits in groups of \(groupSize) are not supported; "
                + "4 or 8 bits in groups of 32, 64 or 128 are."
        }
    }
}
