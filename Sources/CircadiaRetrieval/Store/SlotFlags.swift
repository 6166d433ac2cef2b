import CircadiaKernels

/// What is true of an exchange of the index, in one byte that the kernels read too.
struct SlotFlags: OptionSet, BitwiseCopyable {
    let rawValue: UInt8

    /// What the user said names a time, and what the others said.
    static let userNamesTime = SlotFlags(rawValue: Kernels.Exchanges.userNamesTime)
    static let otherNamesTime = SlotFlags(rawValue: Kernels.Exchanges.otherNamesTime)
    /// The exchange before in its session is the slot before, and the one after the slot after.
    static let followsNeighbour = SlotFlags(rawValue: Kernels.Exchanges.previousLink)
    static let precedesNeighbour = SlotFlags(rawValue: Kernels.Exchanges.nextLink)
    /// No neighbour is elsewhere.
    static let plain = SlotFlags(rawValue: Kernels.Exchanges.plain)
}
