/// Gives a new seed for each reply.
package struct SeedSequence: Sendable {
    private var state: UInt64

    /// Starts at `seed`, or at a random seed if it is nil.
    package init(seed: UInt64?) { state = seed ?? UInt64.random(in: .min ... .max) }

    /// The next seed.
    mutating func next() -> UInt64 {
        defer { state &+= 1 }
        return state
    }
}
