import CircadiaKernels
import Foundation

/// What a question has in common for all exchanges: what shares are taken of.
struct QuestionSums {
    /// The information of the question's words.
    var information: Float = 0
    var bestLexical: Float = 0.01
    var bestAsked: Float = 0.01
    var bestOther: Float = 0.01
    var hasVectors = false
    /// Slots that hold a quoted phrase.
    var phraseHolders: Set<Int> = []

    /// Takes over the best values of some exchanges.
    mutating func take(_ best: (whole: Float, asked: Float, other: Float)) {
        bestLexical = max(bestLexical, best.whole)
        bestAsked = max(bestAsked, best.asked)
        bestOther = max(bestOther, best.other)
    }
}

/// BM25 sums as `Kernels.bm25` writes them: whole, user, other, coverage, one after the other.
struct LexicalPlanes {
    let sums: UnsafeMutablePointer<Float>
    private let count: Int

    init(_ sums: UnsafeMutablePointer<Float>, count: Int) {
        self.sums = sums
        self.count = count
    }

    subscript(slot: Int) -> LexicalSums {
        get {
            LexicalSums(
                sums[slot], sums[count + slot], sums[2 * count + slot], sums[3 * count + slot])
        }
        nonmutating set {
            for part in 0..<4 { sums[part * count + slot] = newValue[part] }
        }
    }
}

/// The cosines of both sides; the elements before the first and behind the last may be read.
struct NearnessPlanes {
    let user, other: UnsafeMutablePointer<Float>

    init(_ scratch: SearchScratch) {
        user = scratch.nearUser.pointer + 1
        other = scratch.nearOther.pointer + 1
    }

    func clear(count: Int) {
        user.update(repeating: 0, count: count)
        other.update(repeating: 0, count: count)
    }

    subscript(slot: Int) -> SIMD2<Float> {
        get { SIMD2(user[slot], other[slot]) }
        nonmutating set { (user[slot], other[slot]) = (newValue.x, newValue.y) }
    }
}

/// The linear model of `FusionWeights`, over buffers with one entry a slot.
struct ScoreFormula {
    private let columns: IndexContents.Columns
    private let lexical: LexicalPlanes
    private let nearness: NearnessPlanes
    /// Whom the question asks about in each slot: 1 the user, -1 the other side, 0 neither.
    private let sides: UnsafePointer<Int8>
    /// Whether the question asks when something was.
    let asksForTime: Bool
    /// The span of time that the question names, in milliseconds since 1970.
    private let interval: Range<Double>?
    private let newest: Int64?

    init(
        columns: IndexContents.Columns, lexical: LexicalPlanes, nearness: NearnessPlanes,
        sides: UnsafePointer<Int8>, time: TimeWords, newest: Int64?
    ) {
        self.columns = columns
        self.lexical = lexical
        self.nearness = nearness
        self.sides = sides
        asksForTime = time.asksForTime
        interval = time.interval.map {
            $0.lowerBound.timeIntervalSince1970 * 1000..<$0.upperBound.timeIntervalSince1970 * 1000
        }
        self.newest = newest
    }

    /// The weights of the lexical parts, each divided by what its share is taken of, and what else is the
    /// same for all exchanges.
    struct Shares {
        /// Of BM25 of the whole, of the side asked about and of the other, and of the coverage.
        fileprivate let lexical: SIMD4<Float>
        fileprivate let hasVectors: Bool
        fileprivate let phraseHolders: Set<Int>?

        init(_ sums: QuestionSums) {
            lexical = SIMD4(
                FusionWeights.lexical / sums.bestLexical, FusionWeights.asked / sums.bestAsked,
                FusionWeights.otherSide / sums.bestOther,
                sums.information > 0 ? FusionWeights.coverage / sums.information : 0)
            hasVectors = sums.hasVectors
            phraseHolders = sums.phraseHolders.isEmpty ? nil : sums.phraseHolders
        }

        /// The same for `Kernels.fuseScores`.
        func fusion(asksForTime: Bool) -> Kernels.Fusion {
            Kernels.Fusion(
                whole: lexical.x, asked: lexical.y, other: lexical.z, coverage: lexical.w,
                askedNear: FusionWeights.askedNearness, otherNear: FusionWeights.otherNearness,
                previousUser: FusionWeights.previousUserNearness,
                previousOther: FusionWeights.previousOtherNearness,
                following: FusionWeights.followingNearness,
                absent: FusionWeights.absentNeighbour,
                namesTime: asksForTime ? FusionWeights.namesTime : 0)
        }
    }

    /// The score of an exchange without its recency; negative infinity where nothing speaks for it.
    func score(_ slot: Int, _ shares: Shares) -> Float {
        guard columns.session[slot] >= 0 else { return -.infinity }
        let words = lexical[slot]
        let holdsPhrase = shares.phraseHolders?.contains(slot) ?? false
        if !shares.hasVectors, words.coverage == 0, !holdsPhrase, !isInTime(slot) {
            return -.infinity
        }
        let (asked, other) = sides(slot, words.user, words.other)
        var parts = shares.lexical * SIMD4(words.whole, asked, other, words.coverage)
        if shares.hasVectors { parts += nearnessParts(slot) }
        var score = parts.sum()
        if holdsPhrase { score += FusionWeights.phrase }
        return score + timeScore(slot)
    }

    /// Scores slots, of which a block of `1 << blockShift` is never cut, and notes the highest score of
    /// each block. Where `Kernels.fuseScores` did that before, only nearness to a named time is left to do.
    func estimate(
        _ range: Range<Int>, _ shares: Shares, into estimates: UnsafeMutablePointer<Float>,
        highest: UnsafeMutableBufferPointer<Float>, blockShift: Int
    ) {
        if shares.hasVectors && interval == nil { return }
        var start = range.lowerBound
        while start < range.upperBound {
            let end = min(range.upperBound, start + 1 << blockShift)
            var best = -Float.infinity
            for slot in start..<end {
                if shares.hasVectors {
                    estimates[slot] += nearTimeScore(slot)
                } else {
                    estimates[slot] = score(slot, shares)
                }
                best = max(best, estimates[slot])
            }
            highest[start >> blockShift] = best
            start = end
        }
    }

    /// Of the values of both sides, that of the side which the question asks about and the rest;
    /// the larger and the smaller where it asks about neither.
    @inline(__always)
    func sides(_ slot: Int, _ user: Float, _ other: Float) -> (asked: Float, other: Float) {
        let asked = sides[slot]
        if asked != 0 { return asked > 0 ? (user, other) : (other, user) }
        return (max(user, other), min(user, other))
    }

    /// Numbers whose sum is what the cosines of an exchange and of its neighbours add.
    private func nearnessParts(_ slot: Int) -> SIMD4<Float> {
        let own = nearness[slot]
        let (asked, other) = sides(slot, own.x, own.y)
        let absent = SIMD2(repeating: own.sum() / 2 * FusionWeights.absentNeighbour)
        let (before, after) = columns.around(slot)
        let previous = before < 0 ? absent : nearness[before]
        let next = after < 0 ? absent : nearness[after]
        let ownParts = SIMD2(FusionWeights.askedNearness, FusionWeights.otherNearness)
        let beforeParts = SIMD2(
            FusionWeights.previousUserNearness, FusionWeights.previousOtherNearness)
        return SIMD4(
            lowHalf: ownParts * SIMD2(asked, other) + FusionWeights.followingNearness / 2 * next,
            highHalf: beforeParts * previous)
    }

    /// What time words in the question add.
    func timeScore(_ slot: Int) -> Float {
        var score: Float = 0
        if asksForTime {
            let asked = sides[slot]
            let named: SlotFlags =
                asked > 0
                ? .userNamesTime : asked < 0 ? .otherNamesTime : [.userNamesTime, .otherNamesTime]
            if !columns.flags[slot].isDisjoint(with: named) { score += FusionWeights.namesTime }
        }
        return score + nearTimeScore(slot)
    }

    /// What it adds to be of the time that the question names, or near it.
    private func nearTimeScore(_ slot: Int) -> Float {
        var score: Float = 0
        if let interval, columns.milliseconds[slot] != .min {
            let time = Double(columns.milliseconds[slot])
            let day = 86_400_000.0
            let (start, end) = (interval.lowerBound, interval.upperBound)
            let days = Float(max(0, max(start - time, time - end)) / day)
            let slack = max(FusionWeights.timeSlackDays, Float((end - start) / day) / 2)
            // Beyond that it is less than what 32 bits tell apart.
            if days < 20 * slack { score += FusionWeights.nearTime * exp(-days / slack) }
            if interval.contains(time) { score += FusionWeights.inTime }
        }
        return score
    }

    private func isInTime(_ slot: Int) -> Bool {
        guard let interval, columns.milliseconds[slot] != .min else { return false }
        return interval.contains(Double(columns.milliseconds[slot]))
    }

    /// What an exchange gains by being new.
    func recency(_ slot: Int) -> Float {
        let milliseconds = columns.milliseconds[slot]
        guard let newest, milliseconds != .min else { return 0 }
        let days = Float(max(0, newest - milliseconds)) / 86_400_000
        return FusionWeights.recency * exp2(-days / FusionWeights.recencyHalfLifeDays)
    }
}
