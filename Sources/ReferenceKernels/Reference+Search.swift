extension Reference {
    /// The exchanges of `ck_exchanges_t`; every array has one element for each exchange.
    package struct Exchanges: Sendable {
        /// Bits of `CK_LINK_PREVIOUS` and the other link constants.
        package var links: [UInt8]
        /// Whom the question is about: 1 the user, -1 the other side, 0 neither.
        package var sides: [Int8]
        /// Number of words, including those of the neighbours.
        package var contextWords: [Double]
        /// Number of the user's words.
        package var userWords: [UInt16]
        /// Number of the other side's words.
        package var otherWords: [UInt16]

        /// Creates exchanges from arrays of one length.
        package init(
            links: [UInt8], sides: [Int8], contextWords: [Double], userWords: [UInt16],
            otherWords: [UInt16]
        ) {
            self.links = links
            self.sides = sides
            self.contextWords = contextWords
            self.userWords = userWords
            self.otherWords = otherWords
        }

        var count: Int { links.count }
        func isPlain(_ index: Int) -> Bool { links[index] & 16 != 0 }
        func previous(_ index: Int) -> Int? { links[index] & 4 != 0 ? index - 1 : nil }
        func next(_ index: Int) -> Int? { links[index] & 8 != 0 ? index + 1 : nil }

        /// The values of both sides, reordered: first the side asked about, then the other.
        func bySide(_ index: Int, _ user: Double, _ other: Double) -> (Double, Double) {
            switch sides[index] {
            case 1...: (user, other)
            case ..<0: (other, user)
            default: (max(user, other), min(user, other))
            }
        }
    }

    /// The reference of `ck_bm25`.
    ///
    /// - Parameters:
    ///   - options: the fields of `ck_bm25_t` in their order.
    ///   - counts: for each term and exchange, the user's count and the other side's.
    ///   - information: the information of each term.
    ///   - exchanges: all exchanges.
    ///   - initial: the initial value of the sums.
    /// - Returns: the sums `[4, count]` and the three best values.
    package static func bm25(
        options: [Double], counts: [[(user: Int, other: Int)]], information: [Double],
        exchanges: Exchanges, initial: [Double]?
    ) -> (sums: [Double], best: [Double]) {
        let count = exchanges.count
        var sums = initial ?? [Double](repeating: 0, count: 4 * count)
        var best = [0.0, 0, 0]
        for index in 0..<count {
            guard exchanges.isPlain(index) else {
                for part in 0..<4 { sums[part * count + index] = 0 }
                continue
            }
            for (term, information) in zip(counts, information) {
                func both(_ index: Int?) -> Double {
                    index.map { Double(term[$0].user + term[$0].other) } ?? 0
                }
                let frequency =
                    both(index) + options[4] * both(exchanges.previous(index))
                    + options[5] * both(exchanges.next(index))
                if frequency == 0 { continue }
                func saturated(_ frequency: Double, _ words: Double) -> Double {
                    information * (options[0] + 1) * frequency
                        / (frequency + options[1] + words)
                }
                sums[index] += saturated(frequency, options[2] * exchanges.contextWords[index])
                sums[count + index] += saturated(
                    Double(term[index].user), options[3] * Double(exchanges.userWords[index]))
                sums[2 * count + index] += saturated(
                    Double(term[index].other), options[3] * Double(exchanges.otherWords[index]))
                sums[3 * count + index] += information
            }
            let (asked, other) = exchanges.bySide(
                index, sums[count + index], sums[2 * count + index])
            best = zip(best, [sums[index], asked, other]).map(max)
        }
        return (sums, best)
    }

    /// The reference of `ck_fuse_scores`. `weights` are the fields of `ck_fusion_t` in their order,
    /// `sums` is `[4, count]`, and the cosines are `[count]`.
    ///
    /// - Returns: the score of each exchange, and the sum of the absolute values of its parts.
    package static func fuseScores(
        weights: [Double], sums: [Double], nearUser: [Double], nearOther: [Double],
        exchanges: Exchanges
    ) -> [(score: Double, magnitude: Double)] {
        let count = exchanges.count
        return (0..<count).map { index in
            guard exchanges.isPlain(index) else { return (-.infinity, 0) }
            let (asked, other) = exchanges.bySide(
                index, sums[count + index], sums[2 * count + index])
            let (near, far) = exchanges.bySide(index, nearUser[index], nearOther[index])
            let absent = (nearUser[index] + nearOther[index]) / 2 * weights[9]
            let (previous, next) = (exchanges.previous(index), exchanges.next(index))
            let named: UInt8 =
                exchanges.sides[index] > 0 ? 1 : exchanges.sides[index] < 0 ? 2 : 3
            let parts = [
                weights[0] * sums[index], weights[1] * asked, weights[2] * other,
                weights[3] * sums[3 * count + index], weights[4] * near, weights[5] * far,
                weights[6] * (previous.map { nearUser[$0] } ?? absent),
                weights[7] * (previous.map { nearOther[$0] } ?? absent),
                weights[8] / 2 * (next.map { nearUser[$0] + nearOther[$0] } ?? 2 * absent),
                exchanges.links[index] & named != 0 ? weights[10] : 0,
            ]
            return (parts.reduce(0, +), parts.reduce(0) { $0 + abs($1) })
        }
    }
}
