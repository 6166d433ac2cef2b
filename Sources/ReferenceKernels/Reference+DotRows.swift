extension Reference {
    /// `scores[i] = query · vectors[i]` over `[count, query.count]`.
    public static func dotRows(vectors: [Double], query: [Double], count: Int) -> [Double] {
        (0..<count).map { dot(vectors, $0 * query.count, query, 0, query.count) }
    }

    /// `scores[i] = scales[i] · queryScale · (query · vectors[i])` over `[count, width]`.
    public static func dotRows(
        vectors: [Double], scales: [Double], query: [Double], queryScale: Double
    ) -> [Double] {
        scales.indices.map {
            scales[$0] * queryScale * dot(vectors, $0 * query.count, query, 0, query.count)
        }
    }
}
