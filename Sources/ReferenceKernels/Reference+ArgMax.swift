extension Reference {
    /// The index of the largest value; the first of equal values. NaN never wins.
    package static func argmax(_ x: [Double]) -> Int {
        var best: Int?
        for (index, value) in x.enumerated() where !value.isNaN {
            if let current = best, value <= x[current] { continue }
            best = index
        }
        return best ?? 0
    }
}
