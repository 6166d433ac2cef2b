import CircadiaModel

/// Dropout on the input of the adapters (Hu et al. 2021): `y += scale·((x∘mask)·a)·b`. An element
/// of the mask is 0 with the given probability and 1/(1 − probability) otherwise.
///
/// Masks are not stored. Each is drawn again from seed, step, block, projection and token. So the
/// backward pass, recomputed blocks and a run resumed from a checkpoint all see the same mask. It
/// does not depend on which tokens share a micro-batch.
package struct LoRADropout {
    /// The factor on elements that are kept.
    package let keptScale: Float
    /// Out of 65536 elements, the number dropped on average.
    private let threshold: UInt64
    private let key: UInt64
    /// The number of the step's tokens before this micro-batch.
    var firstToken = 0

    /// Creates the masks of one step.
    ///
    /// - Parameters:
    ///   - probability: 0 or more, less than 1.
    ///   - seed: the run's seed.
    ///   - step: 1 for the first step.
    package init(probability: Double, seed: UInt64, step: Int) {
        threshold = UInt64((probability * 65536).rounded())
        keptScale = 65536 / Float(65536 - threshold)
        key = Self.mixed(seed ^ 0x6472_6f70_6f75_7421 &+ UInt64(truncatingIfNeeded: step) << 20)
    }

    /// `out = x∘mask`.
    ///
    /// - Parameters:
    ///   - x: `[tokens, width]`; may alias `out`.
    ///   - layer: the block.
    ///   - projection: the projection that reads `x`.
    ///   - tokens: rows of `x`.
    ///   - width: columns of `x`.
    ///   - out: `[tokens, width]`.
    package func apply(
        _ x: UnsafePointer<Float>, layer: Int, projection: Projection, tokens: Int, width: Int,
        out: UnsafeMutablePointer<Float>
    ) {
        forEach(layer: layer, projection: projection, tokens: tokens, width: width) {
            out[$0] = $1 ? x[$0] * keptScale : 0
        }
    }

    /// `sum += gradient∘mask`, both `[tokens, width]`.
    func addBackward(
        _ gradient: UnsafePointer<Float>, layer: Int, projection: Projection, tokens: Int,
        width: Int, sum: UnsafeMutablePointer<Float>
    ) {
        forEach(layer: layer, projection: projection, tokens: tokens, width: width) {
            if $1 { sum[$0] += gradient[$0] * keptScale }
        }
    }

    /// Calls `body` with each element's index and whether it is kept. One 64-bit word decides four
    /// elements.
    @inline(__always)
    private func forEach(
        layer: Int, projection: Projection, tokens: Int, width: Int, _ body: (Int, Bool) -> Void
    ) {
        let place = Self.mixed(key &+ UInt64(layer * Projection.allCases.count + projection.index))
        let words = UInt64((width + 3) / 4)
        for token in 0..<tokens {
            var word = place &+ UInt64(firstToken + token) &* words
            for start in stride(from: 0, to: width, by: 4) {
                var bits = Self.mixed(word)
                word &+= 1
                for index in start..<min(start + 4, width) {
                    body(token * width + index, bits & 0xFFFF >= threshold)
                    bits >>= 16
                }
            }
        }
    }

    /// SplitMix64's output function: neighbouring inputs give unrelated outputs.
    @inline(__always)
    private static func mixed(_ x: UInt64) -> UInt64 {
        var z = x &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
