extension Reference {
    /// `scores[i] = query · vectors[i]` over `[count, query.count]`.
    public static func dotRows(vectors: [Double], query: [Double], count: Int) -> [Double] {
        (0..<count).map { dot(vectors, $0 * query.count, query, 0, query.count) }
    }
}
