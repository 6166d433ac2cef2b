import CKernels

extension Kernels {
    /// `scores[i] = query · vectors[i]` over `vectors` `[count, width]`; `scores` is `[count]`.
    package static func dotRows(
        vectors: UnsafePointer<Float>, query: UnsafePointer<Float>, count: Int, width: Int,
        scores: UnsafeMutablePointer<Float>
    ) {
        check(ck_dot_rows(vectors, query, Int64(count), Int32(width), scores))
    }

    /// `scores[i] = scales[i] · queryScale · Σ query · vectors[i]` over int8 `vectors` `[count,
    /// width]`.
    package static func dotRows(
        vectors: UnsafePointer<Int8>, scales: UnsafePointer<Float>, query: UnsafePointer<Int8>,
        queryScale: Float, count: Int, width: Int, scores: UnsafeMutablePointer<Float>
    ) {
        check(
            ck_dot_rows_int8(
                vectors, scales, query, queryScale, Int64(count), Int32(width), scores))
    }

    /// `scores[i] = scales[i] · queryScale · Σ query · s[i]` over signs `s` `[count, width]`, one
    /// bit each.
    ///
    /// Operands:
    /// - `rows`: `[⌈count/8⌉, ⌈width/64⌉, 8]` words of 64 bits; 8 rows lie side by side. A set bit
    ///   is 1, a clear bit is -1.
    /// - `query`: `[4, ⌈width/64⌉]` words: the bit planes of 4-bit integers, lowest first; 0 from
    ///   `width` on.
    package static func dotRows(
        signs rows: UnsafeRawPointer, scales: UnsafePointer<Float>, query: UnsafeRawPointer,
        queryScale: Float, count: Int, width: Int, scores: UnsafeMutablePointer<Float>
    ) {
        check(
            ck_dot_rows_bits(
                rows, scales, query, queryScale, Int64(count), Int32(width), scores))
    }

    /// The exchanges as `bm25` and `fuseScores` read them: arrays of `count` elements.
    ///
    /// The `links` of an exchange say whether its predecessor or successor has the adjacent index.
    /// An exchange with a neighbour at another index is not plain. Neither is an index without an
    /// exchange. The caller handles both.
    package struct Exchanges {
        /// The user's message names a time.
        package static let userNamesTime = UInt8(CK_USER_NAMES_TIME)
        /// The other side's message names a time.
        package static let otherNamesTime = UInt8(CK_OTHER_NAMES_TIME)
        /// The previous exchange is at the previous index.
        package static let previousLink = UInt8(CK_LINK_PREVIOUS)
        /// The next exchange is at the next index.
        package static let nextLink = UInt8(CK_LINK_NEXT)
        /// The index has an exchange whose neighbours are all at adjacent indices.
        package static let plain = UInt8(CK_LINK_PLAIN)

        var exchanges: ck_exchanges_t

        /// Describes exchanges; the arrays must outlive every use.
        ///
        /// - Parameters:
        ///   - count: the number of exchanges.
        ///   - links: the bits above; other bits are ignored.
        ///   - sides: whom the question is about: 1 the user, -1 the other side, 0 neither.
        ///   - contextWords: the number of words of an exchange and its neighbours.
        ///   - userWords: the number of the user's words.
        ///   - otherWords: the number of the other side's words.
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

    /// The weights of BM25 (Robertson and Zaragoza 2009).
    package struct BM25 {
        /// k. A frequent term contributes at most k + 1 times its information.
        package var saturation: Float
        /// The terms added to a frequency: k (1 - b), and k b / mean for each word.
        package var constant, perContextWord, perSideWord: Float
        /// The weight of a word in the previous exchange, and in the next one.
        package var previous, following: Float

        /// Creates weights.
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

    /// Computes BM25 of each exchange with its neighbours, BM25 of each side alone, and the
    /// information of the terms present.
    ///
    /// - Parameters:
    ///   - weights: the weights of words.
    ///   - counts: `[terms, count + 2]`: byte i + 1 counts a term in exchange i, the user's uses in
    ///     the upper half, the other side's in the lower. The first and the last byte are 0.
    ///   - information: `[terms]`, the information of each term.
    ///   - terms: the number of terms.
    ///   - exchanges: the exchanges. One that is not plain gets 0.
    ///   - adds: whether to add to `sums` instead of overwriting them.
    ///   - sums: `[4, count]`: whole, user, other, coverage.
    /// - Returns: the highest value of whole, of the side asked about and of the other side.
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
        /// The weights of the sums of `bm25`.
        package var whole, asked, other, coverage: Float
        /// The weights of cosines: of both sides, of both sides of the previous exchange, and of
        /// the mean of the next one.
        package var askedNear, otherNear, previousUser, previousOther, following: Float
        /// The share of an exchange's own mean cosine that replaces a missing neighbour's.
        package var absent: Float
        /// The weight of a time named by the side asked about; by either side if neither is asked
        /// about.
        package var namesTime: Float

        /// Creates weights.
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

    /// Computes the weighted sum of all parts of each exchange's score; -inf for one that is not
    /// plain.
    ///
    /// - Parameters:
    ///   - weights: the weights of the parts.
    ///   - sums: `[4, count]`, from `bm25`.
    ///   - nearUser: `[count + 2]`: element i + 1 is the cosine of the user's message in exchange
    ///     i.
    ///   - nearOther: `[count + 2]`: the same for the other side.
    ///   - exchanges: the exchanges.
    ///   - block: the number of exchanges that share one element of `highest`.
    ///   - scores: `[count]`.
    ///   - highest: `[⌈count/block⌉]`, the highest score of each block.
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
