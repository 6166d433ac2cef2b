import CircadiaKernels
import Foundation

/// Scores every exchange of an index for one question.
///
/// All buffers have one entry a slot. They belong to the index, and a search leaves those zero that it
/// found zero: only one scorer of an index may be alive.
final class QuestionScorer {
    let index: IndexContents
    let columns: IndexContents.Columns
    private let formula: ScoreFormula
    /// BM25; zero where none of the question's words is.
    private let lexical: UnsafeMutablePointer<LexicalSums>
    /// The cosines of the user's and of the other side; of the whole where a side said nothing.
    private let nearness: UnsafeMutablePointer<SIMD2<Float>>
    private let rowScores: UnsafeMutablePointer<Float>
    private let isCompared: UnsafeMutablePointer<UInt8>
    /// Slots whose vectors were compared in 8 bits.
    private var compared: [Int] = []
    private var query: QuantizedVector?
    private(set) var hasVectors = false
    private var phrases: Set<Int32> = []
    private var sums = QuestionSums()

    /// A scorer for a question; `newest` is the newest exchange's time.
    init(_ index: IndexContents, side: AskedSide, time: TimeWords, newest: Int64?) {
        self.index = index
        columns = index.columns
        let scratch = index.scratch
        scratch.prepare(slots: columns.slotCount, rows: columns.rowCount)
        lexical = scratch.lexical.pointer
        nearness = scratch.nearness.pointer
        rowScores = scratch.rowScores.pointer
        isCompared = scratch.isCompared.pointer
        formula = ScoreFormula(
            slots: columns.slots, lexical: .init(lexical), nearness: .init(nearness), side: side,
            time: time, newest: newest)
        // Where the vectors are elsewhere, nothing is near until it is said to be.
        if index.width == 0 {
            nearness.update(repeating: .zero, count: columns.slotCount)
        }
    }

    deinit {
        for slot in compared { isCompared[slot] = 0 }
    }

    // MARK: Words

    /// Scores all exchanges by terms. To be called once, before scores are asked for.
    func add(_ terms: [TermPostings]) {
        let scores = terms.map { TermScore(index, $0) }
        sums.information = scores.reduce(0) { $0 + $1.weight }
        let counts = index.scratch.termCounts.pointer
        let lock = NSLock()
        for first in stride(from: 0, to: max(1, terms.count), by: Self.termsAtOnce) {
            let end = min(terms.count, first + Self.termsAtOnce)
            KernelRuntime.forRanges(of: columns.slotCount, grain: 2048) { slots in
                (counts + slots.lowerBound).update(repeating: 0, count: slots.count)
                for term in first..<end {
                    self.write(terms[term], byte: term - first, of: slots)
                }
            }
            scores[first..<end].withUnsafeBufferPointer { scores in
                KernelRuntime.forRanges(of: columns.slotCount, grain: 2048) { slots in
                    let best = self.gather(slots, scores, isFirst: first == 0)
                    lock.withLock { self.sums.take(best) }
                }
            }
        }
    }

    /// Terms whose counts fit into a word.
    private static let termsAtOnce = 8

    /// Writes the counts of a term to byte `byte` of the word of each of these slots, of slots without an
    /// exchange too: looking at each slot would take longer than the rest.
    private func write(_ postings: TermPostings, byte: Int, of slots: Range<Int>) {
        let base = columns.base
        let numbers = base + Int64(slots.lowerBound)..<base + Int64(slots.upperBound)
        let counts = index.scratch.termCounts.pointer
        postings.forEach(in: numbers) { number, count in
            counts[Int(Int64(number) - base)] |= UInt64(count) << UInt64(8 * byte)
        }
    }

    /// Adds up what the terms whose counts were written say of slots and their neighbours.
    ///
    /// - Returns: the best values of these slots.
    private func gather(
        _ range: Range<Int>, _ scores: UnsafeBufferPointer<TermScore>, isFirst: Bool
    ) -> QuestionSums {
        let (slots, lexical, formula) = (columns.slots, self.lexical, self.formula)
        let counts = index.scratch.termCounts.pointer
        let saturation = Saturation(index)
        var best = QuestionSums()
        for slot in range {
            let at = slots + slot
            let (previous, next) = (Int(at.pointee.previous), Int(at.pointee.next))
            let own = counts[slot]
            let before = previous >= 0 ? counts[previous] : 0
            let after = next >= 0 ? counts[next] : 0
            var present = own | before | after
            if present == 0 || at.pointee.session < 0 {
                if isFirst { lexical[slot] = .zero }
                continue
            }
            var found = isFirst ? .zero : lexical[slot]
            let constants = saturation.constants(at)
            let (byUser, byOther) = (own >> 4 & Self.lowHalves, own & Self.lowHalves)
            let (here, behind, ahead) = (
                byUser + byOther, Self.bothSides(before), Self.bothSides(after)
            )
            while present != 0 {
                let shift = UInt64(present.trailingZeroBitCount & ~7)
                present &= ~(0xFF << shift)
                func count(_ word: UInt64) -> Float {
                    Float(Int32(truncatingIfNeeded: word >> shift & 0xFF))
                }
                let context =
                    count(here) + LexicalWeights.previous * count(behind)
                    + LexicalWeights.following * count(ahead)
                // The last part is 1 of 1: a term that is there is covered.
                let frequency = LexicalSums(context, count(byUser), count(byOther), 1)
                found += scores[Int(shift / 8)].scales * frequency / (frequency + constants)
            }
            lexical[slot] = found
            best.bestLexical = max(best.bestLexical, found.whole)
            let (asked, other) = formula.sides(at.pointee.session, found.user, found.other)
            best.bestAsked = max(best.bestAsked, asked)
            best.bestOther = max(best.bestOther, other)
        }
        return best
    }

    /// The lower half of each byte.
    private static let lowHalves: UInt64 = 0x0F0F_0F0F_0F0F_0F0F

    /// The counts of both sides together, a byte for each term.
    @inline(__always)
    private static func bothSides(_ counts: UInt64) -> UInt64 {
        (counts >> 4 & lowHalves) + (counts & lowHalves)
    }

    /// How one term is weighed.
    private struct TermScore {
        /// Its information.
        let weight: Float
        /// What its part of `LexicalSums` is at most.
        let scales: LexicalSums

        init(_ index: IndexContents, _ postings: TermPostings) {
            let count = Float(index.count)
            let holders = Float(postings.count)
            weight = log(1 + max(0, count - holders + 0.5) / (holders + 0.5))
            let scale = weight * (LexicalWeights.saturation + 1)
            scales = LexicalSums(scale, scale, scale, weight)
        }
    }

    /// BM25 of one term: `weight · f (k + 1) / (f + k (1 - b + b · length / mean))`. This is what is added
    /// to `f`, for the parts of `LexicalSums`.
    private struct Saturation {
        private let constant, perWord: LexicalSums

        init(_ index: IndexContents) {
            let k = LexicalWeights.saturation
            let b = LexicalWeights.lengthPenalty
            let exchanges = Double(max(1, index.count))
            let ofSide = k * b / (max(1e-6, Float(index.wordSum / exchanges)) / 2)
            let ofContext = k * b / max(1e-6, Float(index.contextSum / exchanges))
            constant = LexicalSums(k * (1 - b), k * (1 - b), k * (1 - b), 0)
            perWord = LexicalSums(ofContext, ofSide, ofSide, 0)
        }

        @inline(__always)
        func constants(_ slot: UnsafePointer<IndexedSlot>) -> LexicalSums {
            let lengths = LexicalSums(
                slot.pointee.contextWords, Float(slot.pointee.userWords),
                Float(slot.pointee.otherWords), 0)
            return constant + perWord * lengths
        }
    }

    func add(phraseHolders numbers: [Int32]) {
        phrases.formUnion(numbers)
        sums.phraseHolders = Set(phrases.map { Int(Int64($0) - index.base) })
    }

    // MARK: Meaning

    /// Compares a question's vector of length 1 with every row; the best row of a side counts.
    func add(_ vector: [Float]) {
        guard vector.count == index.width, index.rowCount > 0 else { return }
        hasVectors = true
        sums.hasVectors = true
        let query = QuantizedVector(vector)
        self.query = query
        if index.isSketched {
            let (words, scale) = SignSketch.planes(of: vector)
            Kernels.dotRows(
                signs: index.sketch.words.pointer, scales: index.sketch.scales.pointer,
                query: words, queryScale: scale, count: index.rowCount, width: index.width,
                scores: rowScores)
        } else {
            compare(0..<index.rowCount, with: query)
        }
        KernelRuntime.forRanges(of: columns.slotCount, grain: 2048) { slots in
            for slot in slots { self.takeRows(of: slot) }
        }
    }

    private func compare(_ rows: Range<Int>, with query: QuantizedVector) {
        Kernels.dotRows(
            vectors: index.components.pointer + rows.lowerBound * index.width,
            scales: index.scales.pointer + rows.lowerBound, query: query.components,
            queryScale: query.scale, count: rows.count, width: index.width,
            scores: rowScores + rows.lowerBound)
    }

    /// Gives a slot the best scores of its rows.
    private func takeRows(of slot: Int) {
        let none = -Float.infinity
        var user = none
        var other = none
        for row in columns.rows(slot) {
            let side = columns.rowSide[row]
            if side != VectorSide.other.rawValue { user = max(user, rowScores[row]) }
            if side != VectorSide.user.rawValue { other = max(other, rowScores[row]) }
        }
        fill(slot, user, other)
    }

    /// A side that said nothing is as near as the other.
    private func fill(_ slot: Int, _ user: Float, _ other: Float) {
        let none = -Float.infinity
        let either = user == none ? other : user
        nearness[slot] =
            either == none ? .zero : SIMD2(either, other == none ? user : other)
    }

    /// Compares the vectors of slots and of their neighbours in 8 bits, where that is not done.
    private func compareClosely(_ slots: [Int]) {
        guard let query, index.isSketched else { return }
        let known = compared.count
        for slot in slots {
            let (previous, next) = columns.around(slot)
            for wanted in [previous, slot, next] where wanted >= 0 && isCompared[wanted] == 0 {
                isCompared[wanted] = 1
                compared.append(wanted)
            }
        }
        let wanted = compared[known...]
        wanted.withUnsafeBufferPointer { wanted in
            KernelRuntime.forRanges(of: wanted.count, grain: 32) { range in
                for slot in wanted[range] {
                    self.compare(self.columns.rows(slot), with: query)
                    self.takeRows(of: slot)
                }
            }
        }
    }

    /// Gives an exchange exact cosines, in the place of others or of none.
    func refine(_ slot: Int, user: Float?, other: Float?) {
        guard user != nil || other != nil else { return }
        hasVectors = true
        sums.hasVectors = true
        fill(slot, user ?? -.infinity, other ?? -.infinity)
    }

    // MARK: Scores

    /// The score of an exchange; nil where nothing speaks for it.
    func score(_ slot: Int) -> Float? {
        let score = formula.score(slot, ScoreFormula.Shares(sums))
        return score == -.infinity ? nil : score + formula.recency(slot)
    }

    /// The best `count` slots, best first; of equals the newest.
    func best(_ count: Int) -> [(slot: Int, score: Float)] {
        let shift = columns.slotCount > 65_536 ? 9 : 6
        let highest = estimateAll(blockShift: shift)
        // The best of a block is as good as one of the best `count`, if `count` blocks are.
        let floor = highest.count > count ? highest.sorted(by: >)[count - 1] : -.infinity
        var slots = candidates(from: floor - FusionWeights.recency, highest, blockShift: shift)
        compareClosely(slots)
        var chosen = ranked(slots)
        if index.isSketched, hasVectors, chosen.count >= count {
            let reached = chosen[count - 1].score - FusionWeights.sketchMargin
            let known = Set(slots)
            slots = candidates(from: reached, highest, blockShift: shift).filter {
                !known.contains($0)
            }
            compareClosely(slots)
            chosen = Self.sorted(chosen + ranked(slots))
        }
        return Array(chosen.prefix(count))
    }

    private func ranked(_ slots: [Int]) -> [(slot: Int, score: Float)] {
        Self.sorted(slots.compactMap { slot in score(slot).map { (slot, $0) } })
    }

    private static func sorted(
        _ chosen: [(slot: Int, score: Float)]
    ) -> [(slot: Int, score: Float)] {
        chosen.sorted { ($0.score, $0.slot) > ($1.score, $1.slot) }
    }

    /// Scores all slots, without recency, and gives the highest score of each block of slots.
    private func estimateAll(blockShift shift: Int) -> [Float] {
        let count = columns.slotCount
        let estimates = index.scratch.estimates.pointer
        let (formula, sums) = (self.formula, self.sums)
        var highest = [Float](repeating: -.infinity, count: (count + 1 << shift - 1) >> shift)
        highest.withUnsafeMutableBufferPointer { highest in
            KernelRuntime.forRanges(of: count, grain: 1 << shift) { slots in
                formula.estimate(
                    slots, sums, into: estimates, highest: highest, blockShift: shift)
            }
        }
        return highest
    }

    /// The slots that something speaks for and whose estimate is at least `floor`.
    private func candidates(
        from floor: Float, _ highest: [Float], blockShift shift: Int
    ) -> [Int] {
        let estimates = index.scratch.estimates.pointer
        var slots: [Int] = []
        for block in highest.indices where highest[block] >= floor {
            for slot in block << shift..<min((block + 1) << shift, columns.slotCount)
            where estimates[slot] >= floor && estimates[slot] > -.infinity {
                slots.append(slot)
            }
        }
        return slots
    }

    /// Why an exchange was found.
    func evidence(_ slot: Int) -> Memory.Evidence {
        let (previous, next) = columns.around(slot)
        let around = [previous, slot, next].map { nearness[$0 < 0 ? slot : $0].sum() / 2 }
        return Memory.Evidence(
            lexical: Double(lexical[slot].whole / sums.bestLexical),
            coverage: sums.information > 0
                ? Double(lexical[slot].coverage / sums.information) : 0,
            dense: hasVectors ? Double(nearness[slot].max()) : 0,
            neighbourhood: hasVectors ? Double(around.reduce(0, +) / 3) : 0,
            time: Double(formula.timeScore(slot) / FusionWeights.whole))
    }
}
