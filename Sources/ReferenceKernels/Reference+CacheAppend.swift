extension Reference {
    /// A cache `[kvHeads, capacity, headDim]` after rows `past ...` were set to `x`
    /// `[tokens, kvHeads, headDim]`; `isHalf` where the cache holds f16, which rounds.
    public static func cacheAppend(
        _ cache: [Double], x: [Double], kvHeads: Int, headDim: Int, past: Int, isHalf: Bool
    ) -> [Double] {
        var cache = cache
        let capacity = cache.count / max(1, kvHeads * headDim)
        for (index, value) in x.enumerated() {
            let (t, h, i) = (
                index / (kvHeads * headDim), index / headDim % kvHeads, index % headDim
            )
            cache[(h * capacity + past + t) * headDim + i] =
                isHalf ? roundedToHalf(value) : value
        }
        return cache
    }
}
