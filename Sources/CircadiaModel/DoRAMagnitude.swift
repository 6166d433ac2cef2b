import CircadiaKernels

/// DoRA's magnitudes of one projection: its output row `o` is multiplied by m[o] / n[o], where n[o]
/// is the norm of row `o` of `W + scale·(A·B)ᵀ` (Liu et al. 2024, arXiv:2402.09353, section 4).
///
/// As in mlx_lm and PEFT, n takes part in the forward pass but is a constant to the gradient (the
/// paper's section 4.3).
package final class DoRAMagnitude {
    /// m, `[outputs]`: learnt.
    package let values: FloatBuffer
    /// m / n, `[outputs]`; stale after a change of factors or magnitudes until `refresh`.
    package let gains: FloatBuffer
    /// n, `[outputs]`; like `gains`.
    package let norms: FloatBuffer
    /// The squared norms of W's rows, and the matrix that they are of.
    private var baseSquares: [Double] = []
    private weak var base: WeightMatrix?
    /// Whether `values` holds numbers; a fresh one takes the norms of W's rows.
    private var isSet: Bool

    /// Magnitudes of `outputs` rows; nil for those that change nothing yet.
    init(outputs: Int, values given: [Float]?) {
        values = FloatBuffer(count: outputs)
        gains = FloatBuffer(count: outputs)
        norms = FloatBuffer(count: outputs)
        isSet = given != nil
        for (index, value) in (given ?? []).enumerated() { values[index] = value }
    }

    /// A copy with its own memory.
    init(copying other: DoRAMagnitude) {
        values = FloatBuffer(other.values.array)
        gains = FloatBuffer(other.gains.array)
        norms = FloatBuffer(other.norms.array)
        baseSquares = other.baseSquares
        base = other.base
        isSet = other.isSet
    }

    /// Brings norms and gains up to date with the factors and the magnitudes.
    ///
    /// n² = ‖w‖² + b·(2s·AᵀW + s²·(AᵀA)·b), row by row: the cost of `rank` tokens' forward pass, and
    /// no matrix is dequantised as a whole. ‖w‖² is computed once for each matrix.
    func refresh(_ pair: LoRAPair, weight: WeightMatrix, scale: Float, workspace: Workspace) {
        let (inputs, outputs) = (pair.inputs, pair.outputs)
        let rank = pair.a.count / inputs
        if base !== weight {
            baseSquares = Self.rowSquares(weight)
            base = weight
        }
        let turnedA = FloatBuffer(uninitializedCount: pair.a.count)
        for row in 0..<inputs {
            for column in 0..<rank {
                turnedA.pointer[column * inputs + row] = pair.a.pointer[row * rank + column]
            }
        }
        let crossing = FloatBuffer(uninitializedCount: rank * outputs)
        Kernels.matmul(
            .exact, x: turnedA.pointer, tokens: rank, weights: [weight],
            outputs: [crossing.pointer], workspace: workspace)
        // The LoRA kernel's two products are just (Aᵀ·A)·B.
        let gram = FloatBuffer(count: rank * rank)
        let gramB = FloatBuffer(count: rank * outputs)
        Kernels.lora(
            x: turnedA.pointer, a: pair.a.pointer, b: pair.b.pointer, scale: 1, tokens: rank,
            inputs: inputs, outputs: outputs, rank: rank, xa: gram.pointer, y: gramB.pointer)
        var squares = baseSquares
        for index in 0..<rank {
            let b = pair.b.pointer + index * outputs
            let cross = crossing.pointer + index * outputs
            let own = gramB.pointer + index * outputs
            for output in 0..<outputs {
                squares[output] +=
                    Double(scale * b[output]) * Double(2 * cross[output] + scale * own[output])
            }
        }
        for output in 0..<outputs {
            norms.pointer[output] = Float(max(squares[output], 0).squareRoot())
        }
        if !isSet {
            // B is zero in a fresh adapter, so these are the norms of W's rows.
            values.pointer.update(from: norms.pointer, count: outputs)
            isSet = true
        }
        for output in 0..<outputs {
            let norm = norms.pointer[output]
            gains.pointer[output] = norm > 0 ? values.pointer[output] / norm : 0
        }
    }

    /// `‖w‖²` of every row.
    private static func rowSquares(_ weight: WeightMatrix) -> [Double] {
        let chunk = 64
        let rows = AdaptedRows(weight: weight, pair: nil, scale: 0, chunk: chunk)
        return stride(from: 0, to: weight.rows, by: chunk).flatMap { start in
            let range = start..<min(start + chunk, weight.rows)
            let values = rows.sums(range)
            return range.map { row in
                Kernels.sumSquares(
                    values + (row - start) * weight.columns, count: weight.columns)
            }
        }
    }

    /// `y[t, o] *= gains[o]` for `tokens` rows.
    package func apply(to y: UnsafeMutablePointer<Float>, tokens: Int) {
        let outputs = gains.count
        let gains = gains.pointer
        for token in 0..<tokens {
            let row = y + token * outputs
            for output in 0..<outputs { row[output] *= gains[output] }
        }
    }
}
