import CircadiaKernels
import Foundation

/// Scores every exchange of an index for one question.
///
/// Most neighbours of an exchange are the slots beside it, which the kernels make use of; those few
/// exchanges of which that is not so, `strays`, are scored one by one.
///
/// All buffers have one entry a slot. They belong to the index, and a search leaves those zero that it
/// found zero: only one scorer of an index may be alive.
final class QuestionScorer {
    let index: IndexContents
    let columns: IndexContents.Columns
    private let formula: ScoreFormula
    /// BM25; zero where none of the question's words is.
    private let lexical: LexicalPlanes
    /// The cosines of the user's and of the other side; of the whole where a side said nothing.
    private let nearness: NearnessPlanes
    private let rowScores: UnsafeMutablePointer<Float>
    private let isCompared: UnsafeMutablePointer<UInt8>
    private let exchanges: Kernels.Exchanges
    /// Exchanges with a neighbour that is not the slot beside.
    private let strays: [Int]
    /// Slots whose vectors were compared in 8 bits.
    private var compared: [Int] = []
    private var query: QuantizedVector?
    private(set) var hasVectors = false
    private var phrases: Set<Int32> = []
    private var sums = QuestionSums()

    /// A scorer for a question; `newest` is the newest exchange's time.
    init(_ index: IndexContents, side: AskedSide, time: TimeWords, newest: Int64?) {
        self.index = index
        let columns = index.columns
        self.columns = columns
        let scratch = index.scratch
        scratch.prepare(slots: columns.slotCount, rows: columns.rowCount)
        lexical = LexicalPlanes(scratch.lexical.pointer, count: columns.slotCount)
        nearness = NearnessPlanes(scratch)
        rowScores = scratch.rowScores.pointer
        isCompared = scratch.isCompared.pointer
        strays = columns.strays
        let sides = scratch.sides.pointer
        if side.isKnown {
            for slot in 0..<columns.slotCount {
                let session = columns.session[slot]
                sides[slot] = session < 0 ? 0 : side[session]
            }
        } else {
            sides.update(repeating: 0, count: columns.slotCount)
        }
        exchanges = Kernels.Exchanges(
            count: columns.slotCount, links: columns.links, sides: sides,
            contextWords: columns.contextWords, userWords: columns.userWords,
            otherWords: columns.otherWords)
        formula = ScoreFormula(
            columns: columns, lexical: lexical, nearness: nearness, sides: .init(sides), time: time,
            newest: newest)
        // Where the vectors are elsewhere, nothing is near until it is said to be.
        if index.width == 0 { nearness.clear(count: columns.slotCount) }
    }

    deinit {
        for slot in compared { isCompared[slot] = 0 }
    }

    // MARK: Words

    /// Scores all exchanges by terms. To be called once, before scores are asked for.
    func add(_ terms: [TermPostings]) {
        let information = terms.map { Self.information($0, of: index) }
        sums.information = information.reduce(0, +)
        let weights = Self.weights(index)
        for first in stride(from: 0, to: max(1, terms.count), by: SearchScratch.termsAtOnce) {
            let some = first..<min(terms.count, first + SearchScratch.termsAtOnce)
            write(terms[some])
            sums.take(
                Kernels.bm25(
                    weights, counts: index.scratch.termCounts.pointer,
                    information: Array(information[some]), terms: some.count, exchanges: exchanges,
                    adds: first > 0, sums: lexical.sums))
            addToStrays(information[some], weights)
        }
    }

    /// Writes where terms occur, and how often; to slots without an exchange too: looking at each slot
    /// would take longer than the rest.
    private func write(_ terms: ArraySlice<TermPostings>) {
        let stride = columns.slotCount + 2
        let base = columns.base
        let counts = index.scratch.termCounts.pointer
        KernelRuntime.forRanges(of: columns.slotCount, grain: 2048) { slots in
            let numbers = base + Int64(slots.lowerBound)..<base + Int64(slots.upperBound)
            for (plane, postings) in terms.enumerated() {
                let first = counts + plane * stride + 1
                (first + slots.lowerBound).update(repeating: 0, count: slots.count)
                postings.forEach(in: numbers) { number, count in
                    first[Int(Int64(number) - base)] = count
                }
            }
        }
        for plane in 0..<terms.count {
            counts[plane * stride] = 0
            counts[(plane + 1) * stride - 1] = 0
        }
    }

    /// Does for exchanges with neighbours elsewhere what `Kernels.bm25` does for all others.
    private func addToStrays(_ information: ArraySlice<Float>, _ weights: Kernels.BM25) {
        let stride = columns.slotCount + 2
        for slot in strays {
            let (previous, next) = columns.around(slot)
            let ofSides = SIMD2(
                Float(columns.userWords[slot]), Float(columns.otherWords[slot]))
            let constants = LexicalSums(
                weights.constant + weights.perContextWord * columns.contextWords[slot],
                weights.constant + weights.perSideWord * ofSides.x,
                weights.constant + weights.perSideWord * ofSides.y, 0)
            for (plane, information) in information.enumerated() {
                let counts = index.scratch.termCounts.pointer + plane * stride + 1
                func both(_ slot: Int) -> Float {
                    slot < 0 ? 0 : Float(counts[slot] >> 4) + Float(counts[slot] & 15)
                }
                let context =
                    both(slot) + weights.previous * both(previous) + weights.following * both(next)
                guard context > 0 else { continue }
                // The last part is 1 of 1: a term that is there is covered.
                let frequency = LexicalSums(
                    context, Float(counts[slot] >> 4), Float(counts[slot] & 15), 1)
                let scale = information * (weights.saturation + 1)
                let scales = LexicalSums(scale, scale, scale, information)
                lexical[slot] += scales * frequency / (frequency + constants)
            }
            let found = lexical[slot]
            let (asked, other) = formula.sides(slot, found.user, found.other)
            sums.take((found.whole, asked, other))
        }
    }

    /// The information of a term, as BM25 has it.
    private static func information(_ postings: TermPostings, of index: IndexContents) -> Float {
        let count = Float(index.count)
        let holders = Float(postings.count)
        return log(1 + max(0, count - holders + 0.5) / (holders + 0.5))
    }

    private static func weights(_ index: IndexContents) -> Kernels.BM25 {
        let k = LexicalWeights.saturation
        let b = LexicalWeights.lengthPenalty
        let exchanges = Double(max(1, index.count))
        return Kernels.BM25(
            saturation: k, constant: k * (1 - b),
            perContextWord: k * b / max(1e-6, Float(index.contextSum / exchanges)),
            perSideWord: k * b / (max(1e-6, Float(index.wordSum / exchanges)) / 2),
            previous: LexicalWeights.previous, following: LexicalWeights.following)
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
            var slot = slots.lowerBound
            while slot < slots.upperBound {
                if slot + Self.pairsAtOnce <= slots.upperBound, self.takePairs(from: slot) {
                    slot += Self.pairsAtOnce
                } else {
                    self.takeRows(of: slot)
                    slot += 1
                }
            }
        }
    }

    private func compare(_ rows: Range<Int>, with query: QuantizedVector) {
        Kernels.dotRows(
            vectors: index.components.pointer + rows.lowerBound * index.width,
            scales: index.scales.pointer + rows.lowerBound, query: query.components,
            queryScale: query.scale, count: rows.count, width: index.width,
            scores: rowScores + rows.lowerBound)
    }

    private static let pairsAtOnce = 16

    /// Gives sixteen slots the scores of their rows, where each has two: of the user and of the other side.
    private func takePairs(from slot: Int) -> Bool {
        let first = Int(columns.firstRow[slot])
        let end = first + 2 * Self.pairsAtOnce
        guard first >= 0, end <= columns.rowCount,
            end == columns.rowCount || columns.rowSlot[end] != slot + Self.pairsAtOnce - 1
        else { return false }
        // That the rows of each begin two after those of the one before, and that sides alternate.
        var differences: Int32 = 0
        var others: UInt8 = 0
        for pair in 0..<Self.pairsAtOnce {
            differences |= columns.firstRow[slot + pair] ^ Int32(first + 2 * pair)
            others |= columns.rowSide[first + 2 * pair] ^ VectorSide.user.rawValue
            others |= columns.rowSide[first + 2 * pair + 1] ^ VectorSide.other.rawValue
        }
        guard differences == 0, others == 0 else { return false }
        let (user, other) = (nearness.user + slot, nearness.other + slot)
        for pair in 0..<Self.pairsAtOnce {
            user[pair] = rowScores[first + 2 * pair]
            other[pair] = rowScores[first + 2 * pair + 1]
        }
        return true
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
            let least = chosen[count - 1].score
            chosen = Self.sorted(chosen + ranked(slots, from: least))
        }
        return Array(chosen.prefix(count))
    }

    private func ranked(
        _ slots: [Int], from least: Float = -.infinity
    ) -> [(slot: Int, score: Float)] {
        let shares = ScoreFormula.Shares(sums)
        return Self.sorted(
            slots.compactMap { slot in
                let score = formula.score(slot, shares) + formula.recency(slot)
                return score > -.infinity && score >= least ? (slot, score) : nil
            })
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
        let shares = ScoreFormula.Shares(sums)
        let blocks = (count + 1 << shift - 1) >> shift
        let highest = [Float](unsafeUninitializedCapacity: blocks) { highest, size in
            guard let start = highest.baseAddress else { return }
            size = blocks
            if hasVectors {
                Kernels.fuseScores(
                    shares.fusion(asksForTime: formula.asksForTime), sums: lexical.sums,
                    nearUser: nearness.user - 1,
                    nearOther: nearness.other - 1, exchanges: exchanges, block: 1 << shift,
                    scores: estimates, highest: start)
            }
            // What the kernel leaves out.
            KernelRuntime.forRanges(of: count, grain: 1 << shift) { slots in
                self.formula.estimate(
                    slots, shares, into: estimates, highest: highest, blockShift: shift)
            }
            for slot in hasVectors ? strays + Array(sums.phraseHolders) : [] {
                guard slot >= 0, slot < count else { continue }
                estimates[slot] = formula.score(slot, shares)
                highest[slot >> shift] = max(highest[slot >> shift], estimates[slot])
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
