import CKernels

extension Kernels {
    /// Softmax cross-entropy of each row of `logits` `[tokens, vocabulary]`.
    ///
    /// Operands:
    /// - `targets`: `[tokens]`, each in `0 ..< vocabulary` (others trap).
    /// - `rowScale`: the factor on the gradient, such as 1 / (scored tokens of the batch).
    /// - `losses`: `[tokens]`, in nats.
    /// - `gradient`: nil, or `[tokens, vocabulary]`; may alias `logits`.
    package static func crossEntropy(
        logits: UnsafePointer<Float>, targets: UnsafePointer<Int32>, tokens: Int, vocabulary: Int,
        rowScale: Float, losses: UnsafeMutablePointer<Float>,
        gradient: UnsafeMutablePointer<Float>?
    ) {
        check(
            ck_cross_entropy(
                logits, targets, Int32(tokens), Int32(vocabulary), rowScale, losses, gradient))
    }

    /// `y += scale · (x·a)·b`; writes `xa = x·a` `[tokens, rank]` for the backward pass.
    ///
    /// Operands:
    /// - `x`: `[tokens, inputs]`.
    /// - `a`: `[inputs, rank]`.
    /// - `b`: `[rank, outputs]`.
    /// - `y`: `[tokens, outputs]`.
    package static func lora(
        x: UnsafePointer<Float>, a: UnsafePointer<Float>, b: UnsafePointer<Float>, scale: Float,
        tokens: Int, inputs: Int, outputs: Int, rank: Int, xa: UnsafeMutablePointer<Float>,
        y: UnsafeMutablePointer<Float>
    ) {
        check(
            ck_lora(
                x, a, b, scale, Int32(tokens), Int32(inputs), Int32(outputs), Int32(rank), xa, y))
    }

    /// Adds the gradients of `lora` to `da` `[inputs, rank]`, `db` `[rank, outputs]` and, unless
    /// nil, `dx` `[tokens, inputs]`.
    ///
    /// `dy` is `[tokens, outputs]`; the other operands are those of `lora`.
    package static func loraBackward(
        x: UnsafePointer<Float>, xa: UnsafePointer<Float>, a: UnsafePointer<Float>,
        b: UnsafePointer<Float>, dy: UnsafePointer<Float>, scale: Float, tokens: Int, inputs: Int,
        outputs: Int, rank: Int, da: UnsafeMutablePointer<Float>, db: UnsafeMutablePointer<Float>,
        dx: UnsafeMutablePointer<Float>?, workspace: Workspace
    ) {
        let byteCount = ck_lora_backward_workspace(
            Int32(tokens), Int32(inputs), Int32(outputs), Int32(rank))
        check(
            ck_lora_backward(
                x, xa, a, b, dy, scale, Int32(tokens), Int32(inputs), Int32(outputs), Int32(rank),
                da, db, dx, workspace.bytes(byteCount), byteCount))
    }

    /// `Σ x[i]²` over `count` elements, summed in double in a fixed order.
    package static func sumSquares(_ x: UnsafePointer<Float>, count: Int) -> Double {
        ck_sum_squares(x, Int64(count))
    }

    /// The settings of one Adam step; see `ck_adam_t`.
    package struct AdamStep: Sendable, Equatable {
        /// The learning rate.
        package var learningRate: Float
        /// Decay of the first moment.
        package var beta1: Float = 0.9
        /// Decay of the second moment.
        package var beta2: Float = 0.999
        /// Added to the root of the second moment.
        package var epsilon: Float = 1e-8
        /// Decoupled weight decay (AdamW); 0 for Adam.
        package var weightDecay: Float = 0
        /// The factor on the gradient, for clipping.
        package var gradientScale: Float = 1
        /// The step's number, from 1.
        package var step: Int
        /// Whether the moments are divided by 1 − βᵗ.
        package var usesBiasCorrection = true

        /// Creates settings with Adam's usual constants.
        package init(learningRate: Float, step: Int) {
            self.learningRate = learningRate
            self.step = step
        }
    }

    /// Takes one Adam step on `count` parameters. `m` and `v` are its moments, `[count]`; all three
    /// are updated in place.
    package static func adam(
        _ options: AdamStep, gradient: UnsafePointer<Float>, count: Int,
        parameter: UnsafeMutablePointer<Float>, m: UnsafeMutablePointer<Float>,
        v: UnsafeMutablePointer<Float>
    ) {
        var ck = ck_adam_t(
            learning_rate: options.learningRate, beta1: options.beta1, beta2: options.beta2,
            epsilon: options.epsilon, weight_decay: options.weightDecay,
            gradient_scale: options.gradientScale, step: Int32(options.step),
            bias_correction: options.usesBiasCorrection)
        check(ck_adam(&ck, gradient, Int64(count), parameter, m, v))
    }
}
