import CircadiaTestSupport
import Testing

import CircadiaKernels

extension KernelSuite {
    /// Outputs that may be an input: the bits are those of an output of its own.
    @Suite struct InPlaceTests {
        private static let tokens = 5
        /// No whole number of vectors.
        private static let width = 83

        /// What `body` writes to a buffer of its own, and what it writes to `input` itself.
        private static func both(
            _ input: [Float],
            _ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void
        ) -> (apart: [UInt32], inPlace: [UInt32]) {
            let (source, target) = (FloatBuffer(input), FloatBuffer(count: input.count))
            body(source.pointer, target.pointer)
            body(source.pointer, source.pointer)
            return (target.array.map(\.bitPattern), source.array.map(\.bitPattern))
        }

        @Test(arguments: ["scalar", "avx2", "avx512", "neon"])
        func inPlaceIsAsApart(_ isa: String) throws {
            let choices = KernelRuntime.isaChoices.split(separator: ", ").map(String.init)
            guard choices.contains(isa) else {
                try Test.cancel("this processor cannot run \(isa)")
            }
            try KernelRuntime.withISA(isa) {
                let (tokens, width) = (Self.tokens, Self.width)
                var generator = SplitMix64(seed: 31)
                let x = generator.floats(tokens * width, in: -4...4)
                let up = FloatBuffer(generator.floats(x.count))
                let dout = FloatBuffer(generator.floats(x.count))
                let (weight, bias) = (
                    FloatBuffer(generator.floats(width)), FloatBuffer(generator.floats(width))
                )

                let swiGLU = Self.both(x) {
                    Kernels.swiGLU(
                        gate: $0, up: up.pointer, tokens: tokens, width: width, out: $1)
                }
                #expect(swiGLU.apart == swiGLU.inPlace)

                let dup = FloatBuffer(count: x.count)
                let backward = Self.both(x) {
                    Kernels.swiGLUBackward(
                        gate: $0, up: up.pointer, dout: dout.pointer, count: x.count, dgate: $1,
                        dup: dup.pointer)
                }
                #expect(backward.apart == backward.inPlace)

                let gelu = Self.both(x) { Kernels.gelu(x: $0, count: x.count, out: $1) }
                #expect(gelu.apart == gelu.inPlace)

                let rmsNorm = Self.both(x) {
                    Kernels.rmsNorm(
                        x: $0, weight: weight.pointer, tokens: tokens, width: width, epsilon: 1e-5,
                        y: $1)
                }
                #expect(rmsNorm.apart == rmsNorm.inPlace)

                let layerNorm = Self.both(x) {
                    Kernels.layerNorm(
                        x: $0, weight: weight.pointer, bias: bias.pointer, tokens: tokens,
                        width: width, epsilon: 1e-5, y: $1)
                }
                #expect(layerNorm.apart == layerNorm.inPlace)
            }
        }
    }
}
