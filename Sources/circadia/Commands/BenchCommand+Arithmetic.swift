import CircadiaFormats
import CircadiaKernels

extension BenchCommand {
    /// The arithmetic that a model's work cannot do without, in multiply-adds: what is computed twice
    /// to save memory or to be more exact does not count.
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

        /// Of a prompt of `tokens`: all blocks, half a square of scores and their use, the head once.
        func prefill(tokens: Int) -> Double {
            let count = Double(tokens)
            return blocks * (block * count + queryWidth * count * (count + 1)) + head
        }

        /// Of a training step on `rows` rows of `tokens`, each token but the first scored: forward
        /// through everything, backward to the input of the first adapted block. `parameters` are the
        /// adapter's numbers.
        func training(rows: Int, tokens: Int, adaptedBlocks: Int, parameters: Int) -> Double {
            // The last token of a row is only a target.
            let count = Double(tokens - 1)
            let adapted = Double(adaptedBlocks)
            let products = blocks * block + adapted * block - first + 2 * head
            // Forward, gradient of the factors, gradient of what they read.
            let adapter = 3 * Double(parameters)
            // Two products forward, four backward, of half a square each.
            let attention = queryWidth * (count + 1) * (blocks + 2 * adapted)
            return Double(rows) * count * (products + adapter + attention)
        }
    }

    /// The kernel whose multiply-add most of the work is made of.
    static func kernel(_ precision: Precision) -> String {
        switch precision {
        case .int8, .int8x2: return "matmul_int8"
        case .exact: return "matmul_f32"
        // Training's forward products are in two int8 digits: as many operations a second at most.
        case .bf16: return KernelRuntime.hasBF16 ? "matmul_bf16" : "matmul_f32"
        }
    }
}
