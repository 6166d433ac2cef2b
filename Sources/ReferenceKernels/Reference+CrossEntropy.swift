import Foundation

extension Reference {
    /// Softmax cross-entropy of each row of `logits` `[targets.count, vocabulary]`.
    ///
    /// - Returns: `losses[t] = ln Σ_v exp(logits[t, v]) − logits[t, targets[t]]` and `gradient`
    ///   like `logits`: `rowScale · (softmax − onehot(target))`.
    package static func crossEntropy(
        logits: [Double], targets: [Int32], vocabulary: Int, rowScale: Double
    ) -> (losses: [Double], gradient: [Double]) {
        var losses: [Double] = []
        var gradient: [Double] = []
        for (t, target) in targets.enumerated() {
            let row = logits[t * vocabulary..<(t + 1) * vocabulary]
            let maximum = row.reduce(-Double.infinity, max)
            let logSum = maximum + log(row.reduce(0) { $0 + exp($1 - maximum) })
            losses.append(logSum - logits[t * vocabulary + Int(target)])
            for v in 0..<vocabulary {
                let p = exp(logits[t * vocabulary + v] - logSum)
                gradient.append(rowScale * (p - (v == Int(target) ? 1 : 0)))
            }
        }
        return (losses, gradient)
    }
}
