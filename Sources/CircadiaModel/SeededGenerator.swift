/// Random numbers that are the same on every platform: xoshiro256**, seeded through SplitMix64
/// (Blackman and Vigna, prng.di.unimi.it).
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    /// A generator whose whole sequence follows from `seed`.
    package init(seed: UInt64) {
        var seeding = seed
        func mixed() -> UInt64 {
            seeding &+= 0x9E37_79B9_7F4A_7C15
            var z = seeding
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
        state = (mixed(), mixed(), mixed(), mixed())
    }

    /// Goes on where a generator stood when `words` was read; nil where they are not four words or
    /// all zero, which no generator reaches.
    package init?(words: [UInt64]) {
        guard words.count == 4, words.contains(where: { $0 != 0 }) else { return nil }
        state = (words[0], words[1], words[2], words[3])
    }

    /// The whole state: everything that is drawn later follows from it.
    package var words: [UInt64] { [state.0, state.1, state.2, state.3] }

    /// The next 64 random bits.
    package mutating func next() -> UInt64 {
        let product = state.1 &* 5
        let result = ((product << 7) | (product >> 57)) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = (state.3 << 45) | (state.3 >> 19)
        return result
    }

    /// The next number in `0 ..< 1`, a multiple of 2⁻⁵³.
    package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
}
