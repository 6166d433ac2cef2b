/// Memory that searches write, kept from search to search; it grows and is never given back.
final class SearchScratch {
    /// Terms whose counts are kept at a time.
    static let termsAtOnce = 8

    /// What `Kernels.bm25` reads of up to eight terms: `[8, slots + 2]`.
    private(set) var termCounts = GrowingBuffer<UInt8>()
    /// BM25 sums, `[4, slots]`.
    private(set) var lexical = GrowingBuffer<Float>()
    /// Cosines of the user's side and of the other, `[slots + 2]` each, slot 0 at index 1.
    private(set) var nearUser = GrowingBuffer<Float>()
    private(set) var nearOther = GrowingBuffer<Float>()
    /// Whom the question asks about in each slot.
    private(set) var sides = GrowingBuffer<Int8>()
    private(set) var estimates = GrowingBuffer<Float>()
    /// Whether a slot's vectors were compared in 8 bits; zero between searches.
    private(set) var isCompared = GrowingBuffer<UInt8>()
    /// One entry a row.
    private(set) var rowScores = GrowingBuffer<Float>()

    func prepare(slots: Int, rows: Int) {
        func sized<Element>(_ buffer: inout GrowingBuffer<Element>, _ count: Int) {
            if count > buffer.count { _ = buffer.extend(by: count - buffer.count) }
        }
        let more = slots - isCompared.count
        if more > 0 { isCompared.extend(by: more).update(repeating: 0, count: more) }
        sized(&termCounts, Self.termsAtOnce * (slots + 2))
        sized(&lexical, 4 * slots)
        sized(&nearUser, slots + 2)
        sized(&nearOther, slots + 2)
        sized(&sides, slots)
        sized(&estimates, slots)
        sized(&rowScores, rows)
    }
}

/// What the question's words say of one exchange.
typealias LexicalSums = SIMD4<Float>

extension LexicalSums {
    /// BM25 over the neighbourhood, and of each side alone.
    var whole: Float { x }
    var user: Float { y }
    var other: Float { z }
    /// The information of the question's words that are there.
    var coverage: Float { w }
}
