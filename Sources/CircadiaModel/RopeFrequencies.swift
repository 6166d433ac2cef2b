import CircadiaFormats
import CircadiaKernels
import Foundation

/// The angles that rotary embedding turns by.
package enum RopeFrequencies {
    /// Radians per position for each pair of a head: `[headDim/2]`.
    ///
    /// Without scaling `theta^(-2i/d)`. Scaling of type llama3 divides the slow ones (wavelength
    /// above `original/low`) by `factor`, leaves the fast ones (below `original/high`) alone and
    /// interpolates between; see transformers' `modeling_rope_utils`.
    package static func make(for configuration: ModelConfiguration) -> WeightVector {
        let dimension = configuration.headDim
        let frequencies = (0..<dimension / 2).map { index in
            let exponent = Double(2 * index) / Double(dimension)
            let frequency = pow(configuration.ropeTheta, -exponent)
            return Float(scaled(frequency, by: configuration.ropeScaling))
        }
        return WeightVector(frequencies)
    }

    static func scaled(_ frequency: Double, by scaling: RopeScaling?) -> Double {
        guard let scaling else { return frequency }
        let original = Double(scaling.originalContextLength)
        let wavelength = 2 * Double.pi / frequency
        if wavelength > original / scaling.lowFrequencyFactor { return frequency / scaling.factor }
        if wavelength < original / scaling.highFrequencyFactor { return frequency }
        let smooth =
            (original / wavelength - scaling.lowFrequencyFactor)
            / (scaling.highFrequencyFactor - scaling.lowFrequencyFactor)
        return frequency * ((1 - smooth) / scaling.factor + smooth)
    }
}
