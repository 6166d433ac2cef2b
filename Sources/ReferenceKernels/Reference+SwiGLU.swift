import Foundation

extension Reference {
    /// `silu(gate) · up` with `silu(g) = g / (1 + e^−g)`, element by element.
    package static func swiGLU(gate: [Double], up: [Double]) -> [Double] {
        zip(gate, up).map { g, u in g / (1 + exp(-g)) * u }
    }

    /// Gradients of `swiGLU`. With `σ = 1 / (1 + e^−gate)`: `dup = dout · gate · σ` and `dgate =
    /// dout · up · σ · (1 + gate · (1 − σ))`.
    package static func swiGLUBackward(
        gate: [Double], up: [Double], dout: [Double]
    ) -> (dgate: [Double], dup: [Double]) {
        var dgate = gate
        var dup = up
        for i in gate.indices {
            let sigmoid = 1 / (1 + exp(-gate[i]))
            let rest = 1 / (1 + exp(gate[i]))
            dgate[i] = dout[i] * up[i] * sigmoid * (1 + gate[i] * rest)
            dup[i] = dout[i] * gate[i] * sigmoid
        }
        return (dgate, dup)
    }
}
