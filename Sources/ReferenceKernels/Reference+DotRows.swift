extension Reference {
    /// `scores[i] = query · vectors[i]` `[count]` over vectors `[count, query.count]`.
    package static func dotRows(vectors: [Double], query: [Double], count: Int) -> [Double] {
        (0..<count).map { dot(vectors, $0 * query.count, query, 0, query.count) }
    }

    /// `scores[i] = scales[i] · queryScale · (query · vectors[i])` `[count]` over vectors `[count,
    /// width]`.
    package static func dotRows(
        vectors: [Double], scales: [Double], query: [Double], queryScale: Double
    ) -> [Double] {
        scales.indices.map {
            scales[$0] * queryScale * dot(vectors, $0 * query.count, query, 0, query.count)
        }
    }

    /// `scores[i] = scales[i] · queryScale · (query · signs[i])` `[count]` over signs `[count,
    /// width]`, each 1 or -1.
    package static func dotRows(
        signs: [[Bool]], scales: [Double], query: [Int], queryScale: Double
    ) -> [Double] {
        zip(signs, scales).map { row, scale in
            let sum = zip(row, query).reduce(0) { $0 + ($1.0 ? $1.1 : -$1.1) }
            return scale * queryScale * Double(sum)
        }
    }

    /// Packs signs as `ck_dot_rows_bits` reads them: 8 rows side by side, 64 columns a word.
    package static func packed(signs: [[Bool]], width: Int) -> [UInt64] {
        let words = (width + 63) / 64
        var packed = [UInt64](repeating: 0, count: (signs.count + 7) / 8 * words * 8)
        for (row, signs) in signs.enumerated() {
            for (column, sign) in signs.enumerated() where sign {
                packed[(row / 8 * words + column / 64) * 8 + row % 8] |= 1 << UInt64(column % 64)
            }
        }
        return packed
    }

    /// The four bit planes of integers from -8 to 7, 64 columns a word.
    package static func planes(of query: [Int]) -> [UInt64] {
        let words = (query.count + 63) / 64
        var planes = [UInt64](repeating: 0, count: 4 * words)
        for (column, value) in query.enumerated() {
            for bit in 0..<4 where value >> bit & 1 == 1 {
                planes[bit * words + column / 64] |= 1 << UInt64(column % 64)
            }
        }
        return planes
    }
}
