/// A new seed for every reply.
package struct SeedSequence: Sendable {
    private var state: UInt64

    /// The same seeds every time from `seed`; other ones every time without it.
    package init(seed: UInt64?) { state = seed ?? UInt64.random(in: .min ... .max) }

    /// The next seed.
    mutating func next() -> UInt64 {
        defer { state &+= 1 }
        return state
    }
}
