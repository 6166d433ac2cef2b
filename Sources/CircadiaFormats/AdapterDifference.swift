import Foundation

/// The difference between two adapters, measured on what each adds to the weights: `scale · A · B`.
/// DoRA's magnitudes are ignored.
package struct AdapterDifference: Sendable, Equatable, Encodable {
    /// One module, over all blocks.
    package struct Module: Sendable, Equatable, Encodable {
        /// The module's path inside a block.
        package let key: String
        /// Frobenius norms of the product of the first adapter, of the second, and of their
        /// difference.
        package let normFrom, normTo, normDifference: Double
    }

    /// Frobenius norms over all modules.
    package let normFrom, normTo, normDifference: Double
    /// The cosine of the angle between the two products; 0 if one is zero.
    package let cosine: Double
    /// The differences by module, for modules of either adapter.
    package let modules: [Module]

    /// Compares two adapters of the same model in MLX's form. Their ranks and blocks may differ.
    package init(
        from first: (AdapterConfiguration, [String: AdapterTensor]),
        to second: (AdapterConfiguration, [String: AdapterTensor])
    ) {
        let sides = [first, second].map { AdapterModule.modules(of: $0.0, $0.1) }
        var sums: [String: (from: Double, to: Double, both: Double)] = [:]
        for module in sides[0] {
            sums[module.path, default: (0, 0, 0)].from += module.inner(module)
        }
        for module in sides[1] {
            sums[module.path, default: (0, 0, 0)].to += module.inner(module)
            if let other = sides[0].first(where: {
                $0.layer == module.layer && $0.path == module.path
            }) {
                sums[module.path, default: (0, 0, 0)].both += module.inner(other)
            }
        }
        func distance(_ sum: (from: Double, to: Double, both: Double)) -> Double {
            max(0, sum.from + sum.to - 2 * sum.both).squareRoot()
        }
        modules = AdapterTensorName.modules.compactMap { key in
            sums[key].map {
                Module(
                    key: key, normFrom: $0.from.squareRoot(), normTo: $0.to.squareRoot(),
                    normDifference: distance($0))
            }
        }
        let total = sums.values.reduce((from: 0.0, to: 0.0, both: 0.0)) {
            ($0.from + $1.from, $0.to + $1.to, $0.both + $1.both)
        }
        normFrom = total.from.squareRoot()
        normTo = total.to.squareRoot()
        normDifference = distance(total)
        let product = normFrom * normTo
        cosine = product > 0 ? max(-1, min(1, total.both / product)) : 0
    }
}

extension AdapterModule {
    /// The inner product of `scale · A · B` of two modules, without forming either product: Σ
    /// (A₁ᵀA₂) ∘ (B₁B₂ᵀ). It is 0 if the shapes differ.
    func inner(_ other: AdapterModule) -> Double {
        guard a.shape[0] == other.a.shape[0], b.shape[1] == other.b.shape[1] else { return 0 }
        let inputs = Self.products(a.transposed, other.a.transposed)
        let outputs = Self.products(b, other.b)
        return scale * other.scale * zip(inputs, outputs).reduce(0) { $0 + $1.0 * $1.1 }
    }

    /// The dot products of each row of one matrix with each row of the other.
    private static func products(_ first: AdapterTensor, _ second: AdapterTensor) -> [Double] {
        let columns = first.shape[1]
        return (0..<first.shape[0]).flatMap { i in
            (0..<second.shape[0]).map { j in
                (0..<columns).reduce(0.0) { sum, column in
                    sum + Double(first.values[i * columns + column])
                        * Double(second.values[j * columns + column])
                }
            }
        }
    }
}
