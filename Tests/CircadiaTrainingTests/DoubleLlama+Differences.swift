import Testing

import CircadiaModel
import CircadiaTraining

extension DoubleLlama {
    /// Elements of a gradient, drawn at random, and the central differences of the loss there.
    ///
    /// `factor` names the matrix of `pairs[key]` whose gradient `gradient` is, row by row.
    func sampled(
        _ gradient: [Float], of factor: WritableKeyPath<Pair, Matrix>, at key: Key,
        rows: [TrainingRow], count: Int, random: inout SeededGenerator
    ) throws -> (found: [Float], expected: [Float]) {
        let step = 1e-4
        let whole = try #require(pairs[key])
        defer { pairs[key] = whole }
        let columns = whole[keyPath: factor][0].count
        var (found, expected): ([Float], [Float]) = ([], [])
        for _ in 0..<count {
            let index = Int(random.next() % UInt64(gradient.count))
            func loss(_ change: Double) -> Double {
                var pair = whole
                pair[keyPath: factor][index / columns][index % columns] += change
                pairs[key] = pair
                return self.loss(rows)
            }
            expected.append(Float((loss(step) - loss(-step)) / (2 * step)))
            found.append(gradient[index])
        }
        return (found, expected)
    }
}
