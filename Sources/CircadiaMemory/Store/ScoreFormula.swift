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
    mutating func take(_ some: QuestionSums) {
        bestLexical = max(bestLexical, some.bestLexical)
        bestAsked = max(bestAsked, some.bestAsked)
        bestOther = max(bestOther, some.bestOther)
    }
}

/// The linear model of `FusionWeights`, over buffers with one entry a slot.
struct ScoreFormula {
    private let slots: UnsafePointer<IndexedSlot>
    private let lexical: UnsafePointer<LexicalSums>
    private let nearness: UnsafePointer<SIMD2<Float>>
    private let side: AskedSide
    private let isSided: Bool
    private let asksForTime: Bool
    /// The span of time that the question names, in milliseconds since 1970.
    private let interval: Range<Double>?
    private let newest: Int64?

    init(
        slots: UnsafePointer<IndexedSlot>, lexical: UnsafePointer<LexicalSums>,
        nearness: UnsafePointer<SIMD2<Float>>, side: AskedSide, time: TimeWords, newest: Int64?
    ) {
        self.slots = slots
        self.lexical = lexical
        self.nearness = nearness
        self.side = side
        isSided = side.isKnown
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
    }

    /// The score of an exchange without its recency; negative infinity where nothing speaks for it.
    @inline(__always)
    func score(_ slot: Int, _ shares: Shares) -> Float {
        let here = slots + slot
        guard here.pointee.session >= 0 else { return -.infinity }
        let words = lexical[slot]
        let holdsPhrase = shares.phraseHolders?.contains(slot) ?? false
        if !shares.hasVectors, words.coverage == 0, !holdsPhrase, !isInTime(here) {
            return -.infinity
        }
        // Where there are no words all of this is 0; to ask first would take longer.
        let (asked, other) = sides(here.pointee.session, words.user, words.other)
        var parts = shares.lexical * SIMD4(words.whole, asked, other, words.coverage)
        if shares.hasVectors { parts += nearnessParts(slot, here) }
        var score = parts.sum()
        if holdsPhrase { score += FusionWeights.phrase }
        return score + timeScore(here)
    }

    /// Scores slots, of which a block of `1 << blockShift` is never cut, and notes the highest score of
    /// each block.
    func estimate(
        _ range: Range<Int>, _ sums: QuestionSums, into estimates: UnsafeMutablePointer<Float>,
        highest: UnsafeMutableBufferPointer<Float>, blockShift: Int
    ) {
        let shares = Shares(sums)
        var start = range.lowerBound
        while start < range.upperBound {
            let end = min(range.upperBound, start + 1 << blockShift)
            var best = -Float.infinity
            for slot in start..<end {
                let score = score(slot, shares)
                estimates[slot] = score
                best = max(best, score)
            }
            highest[start >> blockShift] = best
            start = end
        }
    }

    /// Of the values of both sides, that of the side which the question asks about and the rest;
    /// the larger and the smaller where it asks about neither.
    @inline(__always)
    func sides(_ session: Int32, _ user: Float, _ other: Float) -> (asked: Float, other: Float) {
        let asked = isSided ? side[session] : 0
        if asked != 0 { return asked > 0 ? (user, other) : (other, user) }
        // Which side is nearer is anybody's guess: a branch would be mispredicted every other time.
        let sum = user + other
        let difference = abs(user - other)
        return ((sum + difference) / 2, (sum - difference) / 2)
    }

    /// Numbers whose sum is what the cosines of an exchange and of its neighbours add.
    @inline(__always)
    private func nearnessParts(_ slot: Int, _ here: UnsafePointer<IndexedSlot>) -> SIMD4<Float> {
        let own = nearness[slot]
        let (asked, other) = sides(here.pointee.session, own.x, own.y)
        let absent = SIMD2(repeating: (own.x + own.y) / 2 * FusionWeights.absentNeighbour)
        let (before, after) = (Int(here.pointee.previous), Int(here.pointee.next))
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
    func timeScore(_ slot: Int) -> Float { timeScore(slots + slot) }

    @inline(__always)
    private func timeScore(_ here: UnsafePointer<IndexedSlot>) -> Float {
        var score: Float = 0
        if asksForTime {
            let asked = side[here.pointee.session]
            if here.pointee.timeFlags & (asked > 0 ? 1 : asked < 0 ? 2 : 3) != 0 {
                score += FusionWeights.namesTime
            }
        }
        if let interval, here.pointee.milliseconds != .min {
            let time = Double(here.pointee.milliseconds)
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

    @inline(__always)
    private func isInTime(_ here: UnsafePointer<IndexedSlot>) -> Bool {
        guard let interval, here.pointee.milliseconds != .min else { return false }
        return interval.contains(Double(here.pointee.milliseconds))
    }

    /// What an exchange gains by being new.
    func recency(_ slot: Int) -> Float {
        let milliseconds = slots[slot].milliseconds
        guard let newest, milliseconds != .min else { return 0 }
        let days = Float(max(0, newest - milliseconds)) / 86_400_000
        return FusionWeights.recency * exp2(-days / FusionWeights.recencyHalfLifeDays)
    }
}
