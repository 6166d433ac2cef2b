import CircadiaFormats
import CircadiaKernels

extension BenchCommand {
    /// The least arithmetic that a model needs, in multiply-adds. Work that is repeated to save
    /// memory or to be more exact does not count.
    struct Arithmetic {
        /// Weights of a block.
        private let block: Double
        private let blocks: Double
        private let head: Double
        private let queryWidth: Double
        /// Weights of the three projections that read a block's input.
        private let first: Double

        init(_ model: ModelConfiguration) {
            let hidden = Double(model.hiddenSize)
            let keyWidth = Double(model.kvHeadCount * model.headDim)
            queryWidth = Double(model.headCount * model.headDim)
            first = hidden * (queryWidth + 2 * keyWidth)
            block = first + hidden * queryWidth + 3 * hidden * Double(model.intermediateSize)
            blocks = Double(model.layerCount)
            head = hidden * Double(model.vocabularySize)
        }

        /// A prompt of `tokens`: all blocks, half a square of attention scores and their use, and
        /// the head once.
        func prefill(tokens: Int) -> Double {
            let count = Double(tokens)
            return blocks * (block * count + queryWidth * count * (count + 1)) + head
        }

        /// A training step on `rows` rows of `tokens`, all scored but the first: forward through
        /// the whole model, backward to the input of the first adapted block. `parameters` is the
        /// number of the adapter's parameters.
        func training(rows: Int, tokens: Int, adaptedBlocks: Int, parameters: Int) -> Double {
            // The last token of a row is only a target, never an input.
            let count = Double(tokens - 1)
            let adapted = Double(adaptedBlocks)
            let products = blocks * block + adapted * block - first + 2 * head
            // Forward, gradient of the factors, gradient of their input.
            let adapter = 3 * Double(parameters)
            // Two products forward and four backward, each over half a square.
            let attention = queryWidth * (count + 1) * (blocks + 2 * adapted)
            return Double(rows) * count * (products + adapter + attention)
        }
    }

    /// The kernel that does most of the multiply-adds.
    static func kernel(_ precision: Precision) -> String {
        switch precision {
        case .int8, .int8x2: return "matmul_int8"
        case .exact: return "matmul_f32"
        // Training's forward products use two int8 digits, which are no faster.
        case .bf16: return KernelRuntime.hasBF16 ? "matmul_bf16" : "matmul_f32"
        }
    }
}
