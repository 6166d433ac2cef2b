import CKernels

extension Kernels {
    /// `y = x · w / sqrt(mean(x²) + epsilon)` per row of `[tokens, width]`; `y` may alias `x`.
    ///
    /// `rstd` is nil, or `[tokens]`; it receives `1/sqrt(…)` for the backward pass.
    package static func rmsNorm(
        x: UnsafePointer<Float>, weight: UnsafePointer<Float>, tokens: Int, width: Int,
        epsilon: Float, y: UnsafeMutablePointer<Float>, rstd: UnsafeMutablePointer<Float>? = nil
    ) {
        check(ck_rmsnorm(x, weight, Int32(tokens), Int32(width), epsilon, y, rstd))
    }

    /// Adds the gradient of `rmsNorm` with respect to `x` to `dx` `[tokens, width]`.
    package static func rmsNormBackward(
        x: UnsafePointer<Float>, weight: UnsafePointer<Float>, rstd: UnsafePointer<Float>,
        dy: UnsafePointer<Float>, tokens: Int, width: Int, dx: UnsafeMutablePointer<Float>
    ) {
        check(ck_rmsnorm_backward_x(x, weight, rstd, dy, Int32(tokens), Int32(width), dx))
    }

    /// `y = (x − mean) / sqrt(variance + epsilon) · w + b` per row; `y` may alias `x`.
    package static func layerNorm(
        x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>,
        tokens: Int, width: Int, epsilon: Float, y: UnsafeMutablePointer<Float>
    ) {
        check(ck_layernorm(x, weight, bias, Int32(tokens), Int32(width), epsilon, y))
    }

    /// Half-split rotary embedding of `[tokens, heads, headDim]`, in place.
    ///
    /// Operands:
    /// - `positions`: `[tokens]`.
    /// - `frequencies`: `[headDim/2]` radians per position.
    /// - `inverse`: rotates backward, as the backward pass does.
    package static func rope(
        _ x: UnsafeMutablePointer<Float>, positions: UnsafePointer<Int32>,
        frequencies: UnsafePointer<Float>, tokens: Int, heads: Int, headDim: Int,
        inverse: Bool = false
    ) {
        check(
            ck_rope(
                x, positions, frequencies, Int32(tokens), Int32(heads), Int32(headDim), inverse))
    }

    /// `out = silu(gate) · up`, `[tokens, width]`; `out` may alias either.
    package static func swiGLU(
        gate: UnsafePointer<Float>, up: UnsafePointer<Float>, tokens: Int, width: Int,
        out: UnsafeMutablePointer<Float>
    ) {
        check(ck_swiglu(gate, up, Int32(tokens), Int32(width), out))
    }

    /// Gradients of `swiGLU` over `count` elements; `dgate` may alias `gate`, `dup` may alias `up`.
    package static func swiGLUBackward(
        gate: UnsafePointer<Float>, up: UnsafePointer<Float>, dout: UnsafePointer<Float>,
        count: Int, dgate: UnsafeMutablePointer<Float>, dup: UnsafeMutablePointer<Float>
    ) {
        check(ck_swiglu_backward(gate, up, dout, Int64(count), dgate, dup))
    }

    /// `out = x · Φ(x)`, the erf form; `out` may alias `x`.
    package static func gelu(
        x: UnsafePointer<Float>, count: Int, out: UnsafeMutablePointer<Float>
    ) {
        check(ck_gelu(x, Int64(count), out))
    }

    /// `y[t, i] += bias[i]` over `[tokens, width]`.
    package static func addBias(
        _ y: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>, tokens: Int, width: Int
    ) {
        check(ck_add_bias(y, bias, Int32(tokens), Int32(width)))
    }

    /// `y += x` over `count` elements.
    package static func add(
        _ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, count: Int
    ) {
        check(ck_add(y, x, Int64(count)))
    }

    /// The index of the largest of `count` > 0 values; the first of equal values.
    package static func argmax(_ x: UnsafePointer<Float>, count: Int) -> Int {
        Int(ck_argmax(x, Int64(count)))
    }
}
