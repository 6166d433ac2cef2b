import CircadiaKernels

/// Draws tokens from logits.
///
/// The order is that of Hugging Face's generation: repetition penalty, temperature, top-k, top-p,
/// min-p. Tokens whose probability is less than 2⁻³² of the likeliest one are never drawn, so only
/// the head of the distribution is exponentiated; for top-k and top-p only a histogram's upper
/// buckets are sorted. Equal logits are ordered by id. Results are the same on every platform.
package struct Sampler {
    /// The settings.
    package let options: SamplingOptions
    private var random: SeededGenerator
    private var candidates: [Candidate] = []
    private var selected: [Candidate] = []
    private var masses = [Double](repeating: 0, count: buckets)
    private var counts = [Int](repeating: 0, count: buckets)
    private var penalized: Set<Int32> = []

    /// A token that may be drawn.
    private struct Candidate {
        let id: Int32
        /// How far the logit lies below the largest one, after temperature; at least 0.
        let depth: Float
        /// `exp(-depth)`.
        let weight: Float
    }

    private static let buckets = 512
    /// `ln 2³²`.
    private static let deepest: Float = 22.18071

    /// A sampler at the beginning of its random sequence.
    package init(_ options: SamplingOptions) {
        self.options = options
        random = SeededGenerator(seed: options.seed)
        // Room for all at once, so that no later token needs more.
        if options.repetitionPenalty != 1 {
            penalized.reserveCapacity(min(options.repetitionWindow, 4096))
        }
    }

    /// Draws the next token.
    ///
    /// - Parameters:
    ///   - logits: `[vocabulary]`, not empty; changed by the repetition penalty.
    ///   - recent: the tokens so far; the last `repetitionWindow` of them are penalised.
    /// - Returns: a token id. Where no logit is a number, the first token.
    package mutating func sample(
        _ logits: UnsafeMutableBufferPointer<Float>, recent: some BidirectionalCollection<Int32>
    ) -> Int32 {
        penalize(logits, recent: recent)
        guard let base = logits.baseAddress else { return 0 }
        let best = Kernels.argmax(base, count: logits.count)
        guard options.temperature > 0, logits[best].isFinite else { return Int32(best) }
        collect(UnsafeBufferPointer(logits), maximum: logits[best])
        select()
        return draw(from: selected) ?? Int32(best)
    }

    /// The tokens that could be drawn with their probabilities, likeliest first where top-k or
    /// top-p are in use; for tests and for showing alternatives.
    package mutating func distribution(
        _ logits: UnsafeMutableBufferPointer<Float>
    ) -> [(id: Int32, probability: Double)] {
        guard let base = logits.baseAddress else { return [] }
        let best = Kernels.argmax(base, count: logits.count)
        guard options.temperature > 0, logits[best].isFinite else { return [(Int32(best), 1)] }
        collect(UnsafeBufferPointer(logits), maximum: logits[best])
        select()
        let total = selected.reduce(0) { $0 + Double($1.weight) }
        return selected.map { ($0.id, Double($0.weight) / total) }
    }

    private mutating func penalize(
        _ logits: UnsafeMutableBufferPointer<Float>, recent: some BidirectionalCollection<Int32>
    ) {
        let penalty = options.repetitionPenalty
        guard penalty != 1 else { return }
        // Each token once, however often it was said.
        penalized.removeAll(keepingCapacity: true)
        for id in recent.suffix(options.repetitionWindow)
        where logits.indices.contains(Int(id)) && penalized.insert(id).inserted {
            let logit = logits[Int(id)]
            logits[Int(id)] = logit > 0 ? logit / penalty : logit * penalty
        }
    }

    /// Fills `candidates` with the tokens near the maximum, in the order of ids.
    private mutating func collect(_ logits: UnsafeBufferPointer<Float>, maximum: Float) {
        candidates.removeAll(keepingCapacity: true)
        // Room for all, so that no later token needs more.
        candidates.reserveCapacity(logits.count)
        selected.reserveCapacity(logits.count)
        guard let base = logits.baseAddress else { return }
        let inverse = 1 / options.temperature
        let threshold = maximum - Self.deepest * options.temperature
        let width = 16
        var index = 0
        let whole = logits.count / width * width
        while index < whole {
            let block = UnsafeRawPointer(base + index).loadUnaligned(as: SIMD16<Float>.self)
            if any(block .>= threshold) {
                let depths = (maximum - block) * inverse
                let weights = Self.exponential(negative: depths)
                for lane in 0..<width where block[lane] >= threshold {
                    candidates.append(
                        Candidate(
                            id: Int32(index + lane), depth: depths[lane], weight: weights[lane]))
                }
            }
            index += width
        }
        while index < logits.count {
            let depth = (maximum - logits[index]) * inverse
            if logits[index] >= threshold {
                let weight = Self.exponential(negative: SIMD16(repeating: depth))[0]
                candidates.append(Candidate(id: Int32(index), depth: depth, weight: weight))
            }
            index += 1
        }
    }

    /// Fills `selected` with what top-k, top-p and min-p leave.
    private mutating func select() {
        let usesTopK = options.topK > 0 && options.topK < candidates.count
        let usesTopP = options.topP < 1
        if usesTopK {
            takeHead(count: options.topK, mass: .infinity)
            selected.removeSubrange(options.topK...)
            if usesTopP { keep(mass: Double(options.topP) * Self.mass(of: selected)) }
        } else if usesTopP {
            let mass = Double(options.topP) * Self.mass(of: candidates)
            takeHead(count: .max, mass: mass)
            keep(mass: mass)
        } else {
            swap(&selected, &candidates)
        }
        if options.minP > 0 {
            let minimum = options.minP
            selected.removeAll { $0.weight < minimum }
        }
    }

    /// Moves the likeliest candidates to `selected`, likeliest first: at least `count` of them, or
    /// as many as reach `mass`, whichever comes first.
    private mutating func takeHead(count: Int, mass: Double) {
        for bucket in 0..<Self.buckets {
            counts[bucket] = 0
            masses[bucket] = 0
        }
        for candidate in candidates {
            let bucket = Self.bucket(of: candidate)
            counts[bucket] += 1
            masses[bucket] += Double(candidate.weight)
        }
        var last = 0
        var countSoFar = counts[0]
        var massSoFar = masses[0]
        while last + 1 < Self.buckets, countSoFar < count, massSoFar < mass {
            last += 1
            countSoFar += counts[last]
            massSoFar += masses[last]
        }
        selected.removeAll(keepingCapacity: true)
        for candidate in candidates where Self.bucket(of: candidate) <= last {
            selected.append(candidate)
        }
        selected.withUnsafeMutableBufferPointer { selected in
            selected.heapSort { ($0.depth, $0.id) < ($1.depth, $1.id) }
        }
    }

    /// Cuts `selected`, which is sorted, after the candidate that reaches `mass`.
    private mutating func keep(mass: Double) {
        var sum = 0.0
        let end = selected.firstIndex { candidate in
            sum += Double(candidate.weight)
            return sum >= mass
        }
        if let end { selected.removeSubrange((end + 1)...) }
    }

    private mutating func draw(from candidates: [Candidate]) -> Int32? {
        var rest = random.uniform() * Self.mass(of: candidates)
        for candidate in candidates {
            rest -= Double(candidate.weight)
            if rest < 0 { return candidate.id }
        }
        return candidates.last?.id
    }

    private static func mass(of candidates: [Candidate]) -> Double {
        candidates.reduce(0) { $0 + Double($1.weight) }
    }

    /// Grows with depth, so that lower buckets hold likelier tokens.
    @inline(__always)
    private static func bucket(of candidate: Candidate) -> Int {
        min(buckets - 1, Int(candidate.depth * (Float(buckets) / deepest)))
    }

    /// `exp(-depth)` for depths of 0 and more, to about 1e-6, without the C library, whose last
    /// digit differs between platforms.
    @inline(__always)
    private static func exponential(negative depths: SIMD16<Float>) -> SIMD16<Float> {
        // Adding 1.5·2²³ leaves the nearest integer in the low bits of the sum.
        let magic = SIMD16<Float>(repeating: 12_582_912)
        let z = pointwiseMin(depths, SIMD16(repeating: 64)) * 1.442_695_04
        let shifted = z + magic
        let x = (shifted - magic - z) * 0.693_147_18
        let halvings =
            unsafeBitCast(shifted, to: SIMD16<Int32>.self)
            &- unsafeBitCast(magic, to: SIMD16<Int32>.self)
        var series = 1 + x * (1 / 6)
        series = 1 + x * (1 / 5) * series
        series = 1 + x * (1 / 4) * series
        series = 1 + x * (1 / 3) * series
        series = 1 + x * (1 / 2) * series
        series = 1 + x * series
        let power = unsafeBitCast((127 &- halvings) &<< 23, to: SIMD16<Float>.self)
        return series * power
    }
}
