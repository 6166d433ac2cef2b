/// NumPy's legacy generator (`numpy.random.seed`, MT19937; Matsumoto and Nishimura 1998), reduced
/// to what `numpy.random.permutation` needs. mlx_lm draws the order of its batches with it.
package struct NumPyRandom {
    private var state: [UInt32]
    private var next = 624

    /// Seeds the generator as `numpy.random.seed(seed)` does. Only the lower 32 bits are used.
    package init(seed: UInt64) {
        state = [UInt32(truncatingIfNeeded: seed)]
        state.reserveCapacity(624)
        for index in 1..<624 {
            let last = state[index - 1]
            state.append(1_812_433_253 &* (last ^ last >> 30) &+ UInt32(index))
        }
    }

    /// The numbers below `count` in a random order: `numpy.random.permutation(count)`.
    package mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for index in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(index, Int(number(upTo: UInt32(index))))
        }
        return order
    }

    /// Draws until the masked bits are no larger than the limit.
    private mutating func number(upTo limit: UInt32) -> UInt32 {
        let mask = UInt32.max >> limit.leadingZeroBitCount
        while true {
            let value = word() & mask
            if value <= limit { return value }
        }
    }

    private mutating func word() -> UInt32 {
        if next == 624 {
            for index in 0..<624 {
                let mixed = state[index] & 0x8000_0000 | state[(index + 1) % 624] & 0x7FFF_FFFF
                state[index] =
                    state[(index + 397) % 624] ^ mixed >> 1 ^ (mixed & 1 == 0 ? 0 : 0x9908_B0DF)
            }
            next = 0
        }
        var value = state[next]
        next += 1
        value ^= value >> 11
        value ^= value << 7 & 0x9D2C_5680
        value ^= value << 15 & 0xEFC6_0000
        return value ^ value >> 18
    }
}
