import CircadiaKernels
import Foundation

/// Scores every exchange of an index for one question.
///
/// All buffers have one entry a slot.
final class QuestionScorer {
    let index: IndexContents
    private let columns: IndexContents.Columns
    let side: AskedSide
    let time: TimeWords
    /// BM25 over the neighbourhood, and of each side alone.
    private let lexical, userLexical, otherLexical: UnsafeMutablePointer<Float>
    /// The information of the question's words that are there.
    private let coverage: UnsafeMutablePointer<Float>
    private var information: Float = 0
    /// The cosine of each side; of the whole where a side said nothing.
    private let userNearness, otherNearness: UnsafeMutablePointer<Float>
    private let storage: FloatBuffer
    private(set) var hasVectors = false
    private var phrases: Set<Int32> = []

    private var bestLexical: Float = 0.01
    private var bestAsked: Float = 0.01
    private var bestOther: Float = 0.01

    init(_ index: IndexContents, side: AskedSide, time: TimeWords) {
        self.index = index
        columns = index.columns
        self.side = side
        self.time = time
        let storage = FloatBuffer(count: 6 * index.slotCount)
        self.storage = storage
        func part(_ number: Int) -> UnsafeMutablePointer<Float> {
            storage.pointer + number * index.slotCount
        }
        (lexical, userLexical, otherLexical) = (part(0), part(1), part(2))
        coverage = part(3)
        (userNearness, otherNearness) = (part(4), part(5))
    }

    // MARK: Words

    func add(_ terms: [Postings]) {
        let context = FloatBuffer(count: index.slotCount)
        var touched: [Int32] = []
        for postings in terms {
            add(postings, context: context.pointer, touched: &touched)
        }
        for slot in 0..<columns.slotCount where coverage[slot] > 0 {
            bestLexical = max(bestLexical, lexical[slot])
            let (asked, other) = sides(slot, userLexical, otherLexical)
            bestAsked = max(bestAsked, asked)
            bestOther = max(bestOther, other)
        }
    }

    private func add(
        _ postings: Postings, context: UnsafeMutablePointer<Float>, touched: inout [Int32]
    ) {
        let holders = Float(postings.numbers.count)
        let count = Float(index.count)
        let weight = log(1 + max(0, count - holders + 0.5) / (holders + 0.5))
        information += weight
        touched.removeAll(keepingCapacity: true)
        let meanContext = max(1e-6, Float(index.contextSum / Double(max(1, index.count))))
        let meanSide = max(1e-6, Float(index.wordSum / Double(max(1, index.count)))) / 2
        func note(_ slot: Int32, _ frequency: Float) {
            if slot < 0 { return }
            if context[Int(slot)] == 0 { touched.append(slot) }
            context[Int(slot)] += frequency
        }
        for entry in postings.numbers.indices {
            guard let slot = columns.slot(postings.numbers[entry]) else { continue }
            let user = Float(postings.user[entry])
            let other = Float(postings.other[entry])
            note(Int32(slot), user + other)
            note(columns.previous[slot], LexicalWeights.following * (user + other))
            note(columns.next[slot], LexicalWeights.previous * (user + other))
            userLexical[slot] += saturated(
                user, weight: weight, length: columns.userWords[slot] / meanSide)
            otherLexical[slot] += saturated(
                other, weight: weight, length: columns.otherWords[slot] / meanSide)
        }
        for slot in touched.lazy.map(Int.init) {
            lexical[slot] += saturated(
                context[slot], weight: weight, length: contextWords(slot) / meanContext)
            coverage[slot] += weight
            context[slot] = 0
        }
    }

    private func saturated(_ frequency: Float, weight: Float, length: Float) -> Float {
        let k = LexicalWeights.saturation
        let b = LexicalWeights.lengthPenalty
        return weight * frequency * (k + 1) / (frequency + k * (1 - b + b * length))
    }

    private func contextWords(_ slot: Int) -> Float {
        func words(_ slot: Int32) -> Float {
            slot < 0 ? 0 : columns.userWords[Int(slot)] + columns.otherWords[Int(slot)]
        }
        return words(Int32(slot)) + LexicalWeights.previous * words(columns.previous[slot])
            + LexicalWeights.following * words(columns.next[slot])
    }

    func add(phraseHolders numbers: [Int32]) { phrases.formUnion(numbers) }

    // MARK: Meaning

    /// Compares a question's vector of length 1 with every row; the best row of a side counts.
    func add(_ query: [Float]) {
        guard query.count == index.width, index.rowCount > 0 else { return }
        hasVectors = true
        let quantized = QuantizedVector(query)
        let scores = FloatBuffer(uninitializedCount: index.rowCount)
        let score = scores.pointer
        quantized.components.withUnsafeBufferPointer { components in
            guard let components = components.baseAddress else { return }
            Kernels.dotRows(
                vectors: index.components.pointer, scales: index.scales.pointer,
                query: components, queryScale: quantized.scale, count: index.rowCount,
                width: index.width, scores: score)
        }
        let none = -Float.infinity
        let slots = index.slotCount
        userNearness.update(repeating: none, count: slots)
        otherNearness.update(repeating: none, count: slots)
        for row in 0..<index.rowCount {
            let slot = Int(columns.rowSlot[row])
            guard slot >= 0, slot < slots else { continue }
            let side = columns.rowSide[row]
            if side != VectorSide.other.rawValue {
                userNearness[slot] = max(userNearness[slot], score[row])
            }
            if side != VectorSide.user.rawValue {
                otherNearness[slot] = max(otherNearness[slot], score[row])
            }
        }
        for slot in 0..<slots { fill(slot) }
    }

    /// A side that said nothing is as near as the other.
    private func fill(_ slot: Int) {
        if userNearness[slot] == -.infinity { userNearness[slot] = otherNearness[slot] }
        if otherNearness[slot] == -.infinity { otherNearness[slot] = userNearness[slot] }
        if userNearness[slot] == -.infinity {
            userNearness[slot] = 0
            otherNearness[slot] = 0
        }
    }

    /// Gives an exchange exact cosines, in the place of others or of none.
    func refine(_ slot: Int, user: Float?, other: Float?) {
        guard user != nil || other != nil else { return }
        hasVectors = true
        userNearness[slot] = user ?? -.infinity
        otherNearness[slot] = other ?? -.infinity
        fill(slot)
    }

    // MARK: Scores

    /// The score of an exchange; nil where nothing speaks for it.
    func score(_ slot: Int) -> Float? {
        guard columns.session[slot] >= 0 else { return nil }
        if !hasVectors, coverage[slot] == 0, !isPhraseHolder(slot), !isInTime(slot) { return nil }
        let (asked, other) = sides(slot, userLexical, otherLexical)
        var score = FusionWeights.lexical * lexical[slot] / bestLexical
        score += FusionWeights.asked * asked / bestAsked
        score += FusionWeights.otherSide * other / bestOther
        if information > 0 { score += FusionWeights.coverage * coverage[slot] / information }
        if hasVectors { score += nearnessScore(slot) }
        if isPhraseHolder(slot) { score += FusionWeights.phrase }
        return score + timeScore(slot) + recency(slot)
    }

    /// Of the values of both sides, that of the side which the question asks about and the rest;
    /// the larger and the smaller where it asks about neither.
    private func sides(
        _ slot: Int, _ user: UnsafeMutablePointer<Float>, _ other: UnsafeMutablePointer<Float>
    ) -> (Float, Float) {
        let asked = side[columns.session[slot]]
        let (a, b) = (user[slot], other[slot])
        return asked > 0 ? (a, b) : asked < 0 ? (b, a) : (max(a, b), min(a, b))
    }

    private func nearnessScore(_ slot: Int) -> Float {
        let (asked, other) = sides(slot, userNearness, otherNearness)
        let absent = (asked + other) / 2 * FusionWeights.absentNeighbour
        let (before, after) = (Int(columns.previous[slot]), Int(columns.next[slot]))
        let followed = after < 0 ? absent : (userNearness[after] + otherNearness[after]) / 2
        return FusionWeights.askedNearness * asked + FusionWeights.otherNearness * other
            + FusionWeights.previousUserNearness * (before < 0 ? absent : userNearness[before])
            + FusionWeights.previousOtherNearness * (before < 0 ? absent : otherNearness[before])
            + FusionWeights.followingNearness * followed
    }

    private func timeScore(_ slot: Int) -> Float {
        var score: Float = 0
        if time.asksForTime {
            let asked = side[columns.session[slot]]
            let flags = columns.timeFlags[slot]
            if flags & (asked > 0 ? 1 : asked < 0 ? 2 : 3) != 0 { score += FusionWeights.namesTime }
        }
        if let interval = time.interval, columns.milliseconds[slot] != .min {
            let seconds = Double(columns.milliseconds[slot]) / 1000
            let start = interval.lowerBound.timeIntervalSince1970
            let end = interval.upperBound.timeIntervalSince1970
            let days = Float(max(0, max(start - seconds, seconds - end)) / 86_400)
            let slack = max(FusionWeights.timeSlackDays, Float((end - start) / 86_400) / 2)
            score += FusionWeights.nearTime * exp(-days / slack)
            if isInTime(slot) { score += FusionWeights.inTime }
        }
        return score
    }

    private func isInTime(_ slot: Int) -> Bool {
        guard let interval = time.interval, columns.milliseconds[slot] != .min else { return false }
        return interval.contains(
            Date(timeIntervalSince1970: Double(columns.milliseconds[slot]) / 1000))
    }

    /// The newest exchange's time; set by the search.
    var newest: Int64?

    private func recency(_ slot: Int) -> Float {
        guard let newest, columns.milliseconds[slot] != .min else { return 0 }
        let days = Float(max(0, newest - columns.milliseconds[slot])) / 86_400_000
        return FusionWeights.recency * exp2(-days / FusionWeights.recencyHalfLifeDays)
    }

    private func isPhraseHolder(_ slot: Int) -> Bool {
        !phrases.isEmpty && phrases.contains(Int32(truncatingIfNeeded: Int64(slot) + index.base))
    }

    /// The best `count` slots, best first; of equals the newest.
    func best(_ count: Int) -> [(slot: Int, score: Float)] {
        var chosen: [(slot: Int, score: Float)] = []
        var threshold = -Float.infinity
        for slot in 0..<columns.slotCount {
            guard let score = score(slot), score >= threshold else { continue }
            chosen.append((slot, score))
            if chosen.count >= 2 * count + 64 {
                chosen.sort { ($0.score, $0.slot) > ($1.score, $1.slot) }
                chosen.removeLast(chosen.count - count)
                threshold = chosen.last?.score ?? threshold
            }
        }
        chosen.sort { ($0.score, $0.slot) > ($1.score, $1.slot) }
        return Array(chosen.prefix(count))
    }

    /// Why an exchange was found.
    func evidence(_ slot: Int) -> Memory.Evidence {
        let absent = (userNearness[slot] + otherNearness[slot]) / 2
        let around = [Int(columns.previous[slot]), slot, Int(columns.next[slot])].map {
            $0 < 0 ? absent : (userNearness[$0] + otherNearness[$0]) / 2
        }
        return Memory.Evidence(
            lexical: Double(lexical[slot] / bestLexical),
            coverage: information > 0 ? Double(coverage[slot] / information) : 0,
            dense: hasVectors ? Double(max(userNearness[slot], otherNearness[slot])) : 0,
            neighbourhood: hasVectors ? Double(around.reduce(0, +) / 3) : 0,
            time: Double(timeScore(slot) / FusionWeights.whole))
    }
}
