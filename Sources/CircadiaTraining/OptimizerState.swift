import CircadiaKernels
import CircadiaModel

/// An adapter's gradients, Adam's moments and a copy of the last good values, each in one buffer.
final class OptimizerState {
    let adapter: LoRAAdapter
    /// Gradients of all factors, one after the other: `[parameters]`.
    let gradient: FloatBuffer
    let m, v: FloatBuffer
    /// Steps taken.
    var step = 0

    struct Factor {
        let values: FloatBuffer
        let offset: Int
    }
    private struct Place {
        let a, b, magnitude: Int
    }
    /// Every factor of the adapter with its place in the flat buffers.
    let factors: [Factor]
    private let places: [Place?]
    let goodValues, goodM, goodV: FloatBuffer
    var goodStep = 0

    init(adapter: LoRAAdapter) {
        self.adapter = adapter
        let count = adapter.parameterCount
        gradient = FloatBuffer(count: count)
        m = FloatBuffer(count: count)
        v = FloatBuffer(count: count)
        goodValues = FloatBuffer(count: count)
        goodM = FloatBuffer(count: count)
        goodV = FloatBuffer(count: count)
        var factors: [Factor] = []
        var places = [Place?](
            repeating: nil, count: adapter.layerCount * Projection.allCases.count)
        var offset = 0
        for (layer, projection, pair) in adapter.allPairs {
            let place = Place(
                a: offset, b: offset + pair.a.count,
                magnitude: offset + pair.a.count + pair.b.count)
            factors.append(Factor(values: pair.a, offset: place.a))
            factors.append(Factor(values: pair.b, offset: place.b))
            places[layer * Projection.allCases.count + projection.index] = place
            offset = place.magnitude
            if let magnitude = pair.magnitude?.values {
                factors.append(Factor(values: magnitude, offset: offset))
                offset += magnitude.count
            }
        }
        self.factors = factors
        self.places = places
        keep()
    }

    /// Bytes in use, without the adapter's own.
    var byteCount: Int { 6 * gradient.byteCount }

    /// Where the gradients of a projection are summed, or nil if it is not adapted. With LoRA,
    /// `magnitude` points to no memory of its own.
    func gradients(
        _ layer: Int, _ projection: Projection
    ) -> (
        a: UnsafeMutablePointer<Float>, b: UnsafeMutablePointer<Float>,
        magnitude: UnsafeMutablePointer<Float>
    )? {
        places[layer * Projection.allCases.count + projection.index].map {
            (gradient.pointer + $0.a, gradient.pointer + $0.b, gradient.pointer + $0.magnitude)
        }
    }

    /// Sets all gradients to zero.
    func clearGradient() {
        gradient.pointer.update(repeating: 0, count: gradient.count)
    }

    /// The norm of the gradient over all factors.
    func gradientNorm() -> Double {
        Kernels.sumSquares(gradient.pointer, count: gradient.count).squareRoot()
    }

    /// Takes one Adam step on the gradient times `gradientScale`.
    func advance(learningRate: Float, gradientScale: Float, options: TrainingOptions) {
        step += 1
        var settings = Kernels.AdamStep(learningRate: learningRate, step: step)
        settings.beta1 = options.beta1
        settings.beta2 = options.beta2
        settings.epsilon = options.epsilon
        settings.weightDecay = options.weightDecay
        settings.gradientScale = gradientScale
        settings.usesBiasCorrection = options.usesBiasCorrection
        for factor in factors {
            Kernels.adam(
                settings, gradient: gradient.pointer + factor.offset, count: factor.values.count,
                parameter: factor.values.pointer, m: m.pointer + factor.offset,
                v: v.pointer + factor.offset)
        }
    }

    /// Remembers the present values as good.
    func keep() {
        for factor in factors {
            (goodValues.pointer + factor.offset).update(
                from: factor.values.pointer, count: factor.values.count)
        }
        goodM.pointer.update(from: m.pointer, count: m.count)
        goodV.pointer.update(from: v.pointer, count: v.count)
        goodStep = step
    }

    /// Returns to the values of the last `keep`.
    func restore() {
        for factor in factors {
            factor.values.pointer.update(
                from: goodValues.pointer + factor.offset, count: factor.values.count)
        }
        m.pointer.update(from: goodM.pointer, count: m.count)
        v.pointer.update(from: goodV.pointer, count: v.count)
        step = goodStep
    }
}
