import CKernels

extension Kernels {
    /// `scores[i] = query · vectors[i]` over `[count, width]`.
    package static func dotRows(
        vectors: UnsafePointer<Float>, query: UnsafePointer<Float>, count: Int, width: Int,
        scores: UnsafeMutablePointer<Float>
    ) {
        check(ck_dot_rows(vectors, query, Int64(count), Int32(width), scores))
    }

    /// `scores[i] = scales[i] · queryScale · Σ query · vectors[i]` over `[count, width]` in 8 bits.
    package static func dotRows(
        vectors: UnsafePointer<Int8>, scales: UnsafePointer<Float>, query: UnsafePointer<Int8>,
        queryScale: Float, count: Int, width: Int, scores: UnsafeMutablePointer<Float>
    ) {
        check(
            ck_dot_rows_int8(
                vectors, scales, query, queryScale, Int64(count), Int32(width), scores))
    }

    /// `scores[i] = scales[i] · queryScale · Σ query · s[i]` for signs `s`, `[count, width]` in bits.
    ///
    /// Operands:
    /// - `rows`: `[⌈count/8⌉, ⌈width/64⌉, 8]` words of 64 bits: 8 rows lie side by side; a set bit is 1,
    ///   another -1.
    /// - `query`: `[4, ⌈width/64⌉]` words: the bits of 4-bit integers, lowest first; 0 from `width` on.
    package static func dotRows(
        signs rows: UnsafeRawPointer, scales: UnsafePointer<Float>, query: UnsafeRawPointer,
        queryScale: Float, count: Int, width: Int, scores: UnsafeMutablePointer<Float>
    ) {
        check(
            ck_dot_rows_bits(
                rows, scales, query, queryScale, Int64(count), Int32(width), scores))
    }

    /// Exchanges as `bm25` and `fuseScores` see them; arrays of `count` elements.
    ///
    /// Where an exchange before or after one has the index beside it, its `links` say so. An exchange with
    /// a neighbour elsewhere is not plain, nor is an index without an exchange: both are left to the caller.
    package struct Exchanges {
        /// What the user said names a time.
        package static let userNamesTime = UInt8(CK_USER_NAMES_TIME)
        /// What the other side said does.
        package static let otherNamesTime = UInt8(CK_OTHER_NAMES_TIME)
        /// The exchange before is at the index before.
        package static let previousLink = UInt8(CK_LINK_PREVIOUS)
        /// The exchange after is at the index after.
        package static let nextLink = UInt8(CK_LINK_NEXT)
        /// There is an exchange, and no neighbour of it is elsewhere.
        package static let plain = UInt8(CK_LINK_PLAIN)

        var exchanges: ck_exchanges_t

        /// - Parameters:
        ///   - count: how many.
        ///   - links: the bits above; others do not count.
        ///   - sides: whom the question is about: 1 the user, -1 the other side, 0 neither.
        ///   - contextWords: words of an exchange in its neighbourhood.
        ///   - userWords: words of the user.
        ///   - otherWords: words of the other side.
        package init(
            count: Int, links: UnsafePointer<UInt8>, sides: UnsafePointer<Int8>,
            contextWords: UnsafePointer<Float>, userWords: UnsafePointer<UInt16>,
            otherWords: UnsafePointer<UInt16>
        ) {
            exchanges = ck_exchanges_t(
                count: Int64(count), links: links, sides: sides, context_words: contextWords,
                user_words: userWords, other_words: otherWords)
        }
    }

    /// The weights of BM25.
    package struct BM25 {
        /// k, which a term's part nears (k + 1 times its information) the oftener it is said.
        package var saturation: Float
        /// What is added to a frequency: k (1 - b), and k b / mean for each word.
        package var constant, perContextWord, perSideWord: Float
        /// What a word in the exchange before counts, and in the one after.
        package var previous, following: Float

        /// Makes weights.
        package init(
            saturation: Float, constant: Float, perContextWord: Float, perSideWord: Float,
            previous: Float, following: Float
        ) {
            self.saturation = saturation
            self.constant = constant
            self.perContextWord = perContextWord
            self.perSideWord = perSideWord
            self.previous = previous
            self.following = following
        }
    }

    /// BM25 of each exchange over itself and its neighbours, of each side alone, and the information of the
    /// terms that are there.
    ///
    /// - Parameters:
    ///   - weights: how words are weighed.
    ///   - counts: `[terms, count + 2]`: byte i + 1 has what exchange i says of a term, the user's count in
    ///     the upper half, the other side's in the lower; the first and the last byte are 0.
    ///   - information: `[terms]`.
    ///   - terms: how many.
    ///   - exchanges: the exchanges; one that is not plain gets 0.
    ///   - adds: whether to what `sums` have.
    ///   - sums: `[4, count]`: whole, user, other, coverage.
    /// - Returns: the highest of whole, of the side asked about and of the other.
    package static func bm25(
        _ weights: BM25, counts: UnsafePointer<UInt8>, information: UnsafePointer<Float>,
        terms: Int, exchanges: Exchanges, adds: Bool, sums: UnsafeMutablePointer<Float>
    ) -> (whole: Float, asked: Float, other: Float) {
        var weights = ck_bm25_t(
            saturation: weights.saturation, constant: weights.constant,
            per_context_word: weights.perContextWord, per_side_word: weights.perSideWord,
            previous: weights.previous, following: weights.following)
        var exchanges = exchanges.exchanges
        var best: (Float, Float, Float) = (0, 0, 0)
        withUnsafeMutableBytes(of: &best) { best in
            check(
                ck_bm25(
                    &weights, counts, information, Int32(terms), &exchanges, adds, sums,
                    best.baseAddress?.assumingMemoryBound(to: Float.self)))
        }
        return best
    }

    /// The weights of the parts of a score.
    package struct Fusion {
        /// Of the sums of `bm25`.
        package var whole, asked, other, coverage: Float
        /// Of cosines, by side; of those of the exchange before; of the mean of the one after.
        package var askedNear, otherNear, previousUser, previousOther, following: Float
        /// The share of an exchange's own mean cosine that stands for a neighbour's where there is none.
        package var absent: Float
        /// Where the side asked about names a time; either of them where neither is asked about.
        package var namesTime: Float

        /// Makes weights.
        package init(
            whole: Float, asked: Float, other: Float, coverage: Float, askedNear: Float,
            otherNear: Float, previousUser: Float, previousOther: Float, following: Float,
            absent: Float, namesTime: Float
        ) {
            self.whole = whole
            self.asked = asked
            self.other = other
            self.coverage = coverage
            self.askedNear = askedNear
            self.otherNear = otherNear
            self.previousUser = previousUser
            self.previousOther = previousOther
            self.following = following
            self.absent = absent
            self.namesTime = namesTime
        }
    }

    /// The weighted sum of all parts of each exchange's score; -inf for one that is not plain.
    ///
    /// - Parameters:
    ///   - weights: of the parts.
    ///   - sums: `[4, count]` of `bm25`.
    ///   - nearUser: `[count + 2]`: element i + 1 is the cosine of what the user said in exchange i.
    ///   - nearOther: the same of the other side.
    ///   - exchanges: the exchanges.
    ///   - block: exchanges of which the highest score is wanted.
    ///   - scores: `[count]`.
    ///   - highest: `[⌈count/block⌉]`.
    package static func fuseScores(
        _ weights: Fusion, sums: UnsafePointer<Float>, nearUser: UnsafePointer<Float>,
        nearOther: UnsafePointer<Float>, exchanges: Exchanges, block: Int,
        scores: UnsafeMutablePointer<Float>, highest: UnsafeMutablePointer<Float>
    ) {
        var weights = ck_fusion_t(
            whole: weights.whole, asked: weights.asked, other: weights.other,
            coverage: weights.coverage, asked_near: weights.askedNear,
            other_near: weights.otherNear, previous_user: weights.previousUser,
            previous_other: weights.previousOther, following: weights.following,
            absent: weights.absent, names_time: weights.namesTime)
        var exchanges = exchanges.exchanges
        check(
            ck_fuse_scores(
                &weights, sums, nearUser, nearOther, &exchanges, Int64(block), scores, highest))
    }
}
