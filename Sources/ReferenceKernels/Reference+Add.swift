extension Reference {
    /// `y + x`, element by element.
    package static func add(_ y: [Double], _ x: [Double]) -> [Double] {
        zip(y, x).map { $0 + $1 }
    }

    /// `y[t, i] + bias[i]` over `[tokens, bias.count]`.
    package static func addBias(_ y: [Double], bias: [Double]) -> [Double] {
        y.indices.map { y[$0] + bias[$0 % bias.count] }
    }
}
