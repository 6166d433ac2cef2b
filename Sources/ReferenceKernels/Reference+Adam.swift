import Foundation

extension Reference {
    /// The settings of one Adam step; see `ck_adam_t`.
    package struct AdamStep: Sendable {
        /// The learning rate.
        package var learningRate: Double
        /// Decay of the first moment.
        package var beta1: Double
        /// Decay of the second moment.
        package var beta2: Double
        /// Added to the root of the second moment.
        package var epsilon: Double
        /// Decoupled weight decay.
        package var weightDecay: Double
        /// The factor on the gradient.
        package var gradientScale: Double
        /// The step's number, from 1.
        package var step: Int
        /// Whether the moments are divided by `1 − βᵗ`.
        package var usesBiasCorrection: Bool

        /// Creates settings from their parts.
        package init(
            learningRate: Double, beta1: Double, beta2: Double, epsilon: Double,
            weightDecay: Double, gradientScale: Double, step: Int, usesBiasCorrection: Bool
        ) {
            self.learningRate = learningRate
            self.beta1 = beta1
            self.beta2 = beta2
            self.epsilon = epsilon
            self.weightDecay = weightDecay
            self.gradientScale = gradientScale
            self.step = step
            self.usesBiasCorrection = usesBiasCorrection
        }
    }

    /// One Adam step (Kingma and Ba 2015), or AdamW if the weight decay is not zero.
    ///
    /// - Returns: the new parameters and moments, each shaped like its operand.
    package static func adam(
        _ options: AdamStep, gradient: [Double], parameter: [Double], m: [Double], v: [Double]
    ) -> (parameter: [Double], m: [Double], v: [Double]) {
        var (parameter, m, v) = (parameter, m, v)
        let corrects = options.usesBiasCorrection
        let correction1 = corrects ? 1 - pow(options.beta1, Double(options.step)) : 1
        let correction2 = corrects ? 1 - pow(options.beta2, Double(options.step)) : 1
        for i in gradient.indices {
            let g = gradient[i] * options.gradientScale
            m[i] = options.beta1 * m[i] + (1 - options.beta1) * g
            v[i] = options.beta2 * v[i] + (1 - options.beta2) * g * g
            let root = (v[i] / correction2).squareRoot() + options.epsilon
            parameter[i] *= 1 - options.learningRate * options.weightDecay
            parameter[i] -= options.learningRate * (m[i] / correction1) / root
        }
        return (parameter, m, v)
    }

    /// `Σ x[i]²` by Neumaier's compensated summation: the kernels sum in double too, so a plain sum
    /// would not be more exact than they are.
    package static func sumSquares(_ x: [Double]) -> Double {
        var sum = 0.0
        var lost = 0.0
        for value in x {
            let square = value * value
            let next = sum + square
            lost += sum >= square ? (sum - next) + square : (square - next) + sum
            sum = next
        }
        return sum + lost
    }
}
