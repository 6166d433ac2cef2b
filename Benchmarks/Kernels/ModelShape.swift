import CircadiaKernels

/// The dimensions of a model that decide the work of its kernels.
struct ModelShape {
    let name: String
    let hidden, mlp, heads, kvHeads, headDim, vocabulary: Int
    /// The formats of the matrices and of the head.
    let format, headFormat: WeightFormat

    struct WeightFormat {
        let bits, groupSize: Int
        let scales: FloatFormat
    }

    /// The model of `circadia model pull`: Q4_1 matrices and a Q8_0 head, imported from GGUF.
    static let smollm2 = ModelShape(
        name: "SmolLM2-135M", hidden: 576, mlp: 1536, heads: 9, kvHeads: 3, headDim: 64,
        vocabulary: 49152, format: WeightFormat(bits: 4, groupSize: 32, scales: .f16),
        headFormat: WeightFormat(bits: 8, groupSize: 32, scales: .f16))

    /// mlx-community/Llama-3.2-3B-Instruct-4bit.
    static let llama3B = ModelShape(
        name: "Llama-3.2-3B", hidden: 3072, mlp: 8192, heads: 24, kvHeads: 8, headDim: 128,
        vocabulary: 128256, format: WeightFormat(bits: 4, groupSize: 64, scales: .bf16),
        headFormat: WeightFormat(bits: 4, groupSize: 64, scales: .bf16))

    static let all = [smollm2, llama3B]

    /// Matrices that one call multiplies with one input.
    struct Projection {
        let name: String
        let rows, columns, count: Int
        let format: WeightFormat
        /// The number of multiplications and additions for a token.
        var operations: Int { 2 * rows * columns * count }
    }

    var blockProjections: [Projection] {
        [
            Projection(
                name: "q/o", rows: heads * headDim, columns: hidden, count: 1, format: format),
            Projection(name: "gate/up", rows: mlp, columns: hidden, count: 2, format: format),
            Projection(name: "down", rows: hidden, columns: mlp, count: 1, format: format),
        ]
    }

    var head: Projection {
        Projection(
            name: "head", rows: vocabulary, columns: hidden, count: 1, format: headFormat)
    }
}
