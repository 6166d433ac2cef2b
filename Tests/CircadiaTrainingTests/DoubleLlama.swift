import Foundation

import CircadiaKernels
import CircadiaModel
import CircadiaTraining

/// The loss of a small Llama with an adapter, written plainly in Double from the formulas: what
/// finite differences are taken of.
final class DoubleLlama {
    typealias Matrix = [[Double]]

    private struct Block {
        var inputNorm, middleNorm: [Double]
        var weights: [Projection: Matrix]
    }
    struct Pair {
        /// `[inputs, rank]`.
        var a: Matrix
        /// `[rank, outputs]`.
        var b: Matrix
        /// DoRA's magnitudes, as a matrix of one row, and the norms that they are divided by, which
        /// stay what they are when a factor changes.
        var m: Matrix = []
        var norms: [Double] = []
    }
    struct Key: Hashable {
        var layer: Int
        var projection: Projection
    }

    /// What an adapter's input is multiplied by: block, projection, row, token and width.
    typealias Mask = (Int, Projection, Int, Int, Int) -> [Double]

    var pairs: [Key: Pair] = [:]
    var mask: Mask?
    private let embedding: Matrix
    private let blocks: [Block]
    private let finalNorm: [Double]
    private let scale, epsilon: Double
    private let heads, kvHeads, headDim: Int
    private let frequencies: [Double]
    /// The row at work.
    private var row = 0

    init(model: LlamaModel, adapter: LoRAAdapter) {
        func matrix(_ weight: WeightMatrix) -> Matrix {
            let buffer = FloatBuffer(count: weight.rows * weight.columns)
            weight.embed((0..<weight.rows).map { Int32($0) }, into: buffer.pointer)
            return (0..<weight.rows).map { row in
                (0..<weight.columns).map { Double(buffer[row * weight.columns + $0]) }
            }
        }
        func vector(_ weights: WeightVector) -> [Double] { weights.array.map(Double.init) }
        embedding = matrix(model.embedding)
        blocks = model.layers.map { layer in
            var weights: [Projection: Matrix] = [:]
            for projection in Projection.allCases {
                weights[projection] = matrix(layer.weight(projection))
            }
            return Block(
                inputNorm: vector(layer.inputNorm), middleNorm: vector(layer.postAttentionNorm),
                weights: weights)
        }
        finalNorm = vector(model.finalNorm)
        scale = Double(adapter.scale)
        epsilon = Double(model.configuration.rmsNormEpsilon)
        heads = model.configuration.headCount
        kvHeads = model.configuration.kvHeadCount
        headDim = model.configuration.headDim
        frequencies = vector(model.ropeFrequencies)
        for (layer, projection, pair) in adapter.allPairs {
            let a = (0..<pair.inputs).map { i in
                (0..<adapter.rank).map { Double(pair.a[i * adapter.rank + $0]) }
            }
            let b = (0..<adapter.rank).map { r in
                (0..<pair.outputs).map { Double(pair.b[r * pair.outputs + $0]) }
            }
            var plain = Pair(a: a, b: b)
            if let magnitude = pair.magnitude {
                plain.m = [magnitude.values.array.map(Double.init)]
                let weight = blocks[layer].weights[projection] ?? []
                plain.norms = weight.indices.map { o in
                    var square = 0.0
                    for i in 0..<pair.inputs {
                        var sum = 0.0
                        for r in 0..<adapter.rank { sum += a[i][r] * b[r][o] }
                        let value = weight[o][i] + scale * sum
                        square += value * value
                    }
                    return square.squareRoot()
                }
            }
            pairs[Key(layer: layer, projection: projection)] = plain
        }
    }

    /// The mean loss over the scored tokens of all rows.
    func loss(_ rows: [TrainingRow]) -> Double {
        let targets = rows.flatMap { row in
            row.scored.joined().filter { $0 > 0 }.map { Int(row.ids[$0]) }
        }
        let losses = zip(probabilities(rows), targets).map { -log($0[$1]) }
        return losses.reduce(0, +) / Double(losses.count)
    }

    /// What is predicted at each scored token of all rows: `[scored, vocabulary]`.
    func probabilities(_ rows: [TrainingRow]) -> Matrix {
        rows.enumerated().flatMap { number, row in
            self.row = number
            var stream = row.ids.map { embedding[Int($0)] }
            for layer in blocks.indices { run(layer, &stream) }
            let normed = stream.map { norm($0, finalNorm) }
            return row.scored.joined().filter { $0 > 0 }.map { position in
                let logits = embedding.map { dot($0, normed[position - 1]) }
                let largest = logits.max() ?? 0
                let total = logits.reduce(0) { $0 + exp($1 - largest) }
                return logits.map { exp($0 - largest) / total }
            }
        }
    }

    private func run(_ layer: Int, _ stream: inout Matrix) {
        let normed = stream.map { norm($0, blocks[layer].inputNorm) }
        let q = project(.q, layer, normed).enumerated().map { turned($1, heads, $0) }
        let k = project(.k, layer, normed).enumerated().map { turned($1, kvHeads, $0) }
        let v = project(.v, layer, normed)
        var attended: Matrix = []
        for t in q.indices {
            var out = [Double](repeating: 0, count: heads * headDim)
            for head in 0..<heads {
                let kv = head / (heads / kvHeads) * headDim
                let query = Array(q[t][head * headDim..<(head + 1) * headDim])
                let scores = (0...t).map {
                    dot(query, Array(k[$0][kv..<kv + headDim])) / Double(headDim).squareRoot()
                }
                let largest = scores.max() ?? 0
                let total = scores.reduce(0) { $0 + exp($1 - largest) }
                for (s, score) in scores.enumerated() {
                    let weight = exp(score - largest) / total
                    for i in 0..<headDim { out[head * headDim + i] += weight * v[s][kv + i] }
                }
            }
            attended.append(out)
        }
        add(&stream, project(.o, layer, attended))
        let middle = stream.map { norm($0, blocks[layer].middleNorm) }
        let gate = project(.gate, layer, middle)
        let up = project(.up, layer, middle)
        let activated = zip(gate, up).map { zip($0, $1).map { $0 / (1 + exp(-$0)) * $1 } }
        add(&stream, project(.down, layer, activated))
    }

    private func project(_ projection: Projection, _ layer: Int, _ x: Matrix) -> Matrix {
        let weight = blocks[layer].weights[projection] ?? []
        let pair = pairs[Key(layer: layer, projection: projection)]
        return x.enumerated().map { token, row in
            var out = weight.map { dot($0, row) }
            guard let pair else { return out }
            let mask = mask.map { $0(layer, projection, self.row, token, row.count) }
            for (r, b) in pair.b.enumerated() {
                var inner = 0.0
                for i in row.indices { inner += row[i] * pair.a[i][r] * (mask?[i] ?? 1) }
                for o in out.indices { out[o] += scale * inner * b[o] }
            }
            for (o, norm) in pair.norms.enumerated() { out[o] *= pair.m[0][o] / norm }
            return out
        }
    }

    private func norm(_ x: [Double], _ weight: [Double]) -> [Double] {
        let r = 1 / (dot(x, x) / Double(x.count) + epsilon).squareRoot()
        return zip(x, weight).map { $0 * r * $1 }
    }

    private func turned(_ x: [Double], _ heads: Int, _ position: Int) -> [Double] {
        var out = x
        for head in 0..<heads {
            for i in 0..<headDim / 2 {
                let angle = Double(position) * frequencies[i]
                let low = head * headDim + i
                let high = low + headDim / 2
                out[low] = x[low] * cos(angle) - x[high] * sin(angle)
                out[high] = x[low] * sin(angle) + x[high] * cos(angle)
            }
        }
        return out
    }

    private func dot(_ x: [Double], _ y: [Double]) -> Double {
        var sum = 0.0
        for i in x.indices { sum += x[i] * y[i] }
        return sum
    }

    private func add(_ x: inout Matrix, _ y: Matrix) {
        for t in x.indices { for i in x[t].indices { x[t][i] += y[t][i] } }
    }
}
