import CircadiaKernels

/// One call of an entry of CKernels as data, so that the same call can be made here, through
/// `Kernels`, and by the program that runs the kernels under emulation.
///
/// Integers, floats and operands come in the order of the entry's declaration in `CKernels.h`;
/// those of a weight matrix, or of a struct, where it stands.
struct KernelCall: Sendable {
    /// The entries of `CKernels.h`, `ck_` left out.
    enum Entry: String, CaseIterable, Sendable {
        case adam
        case add
        case addBias = "add_bias"
        case argmax
        case attention
        case attentionBackward = "attention_backward"
        case bm25
        case cacheAppend = "cache_append"
        case crossEntropy = "cross_entropy"
        case dotRows = "dot_rows"
        case dotRowsBits = "dot_rows_bits"
        case dotRowsInt8 = "dot_rows_int8"
        case fuseScores = "fuse_scores"
        case gelu
        case layerNorm = "layernorm"
        case lora
        case loraBackward = "lora_backward"
        case matmul
        case matmulTransposed = "matmul_transposed"
        case rmsNorm = "rmsnorm"
        case rmsNormBackward = "rmsnorm_backward_x"
        case rope
        case sumSquares = "sum_squares"
        case swiGLU = "swiglu"
        case swiGLUBackward = "swiglu_backward"
    }

    let entry: Entry
    let integers: [Int]
    let floats: [Float]
    let operands: [Operand]

    init(
        _ entry: Entry, integers: [Int] = [], floats: [Float] = [], operands: [Operand]
    ) {
        self.entry = entry
        self.integers = integers
        self.floats = floats
        self.operands = operands
    }
}

/// An array that a call is given.
struct Operand: Sendable {
    enum Role: Int32, Sendable {
        /// NULL.
        case absent
        /// Memory that the kernel may only read.
        case input
        /// Memory that the kernel writes.
        case output
    }

    enum Element: Sendable {
        case f32, f16, bf16, int8, int16, int32, f64

        var byteCount: Int {
            switch self {
            case .int8: 1
            case .f16, .bf16, .int16: 2
            case .f32, .int32: 4
            case .f64: 8
            }
        }
    }

    let role: Role
    let element: Element
    /// The elements at first, little-endian.
    let bytes: [UInt8]

    static let absent = Operand(role: .absent, element: .f32, bytes: [])

    static func input(_ values: [Float]) -> Operand {
        Operand(role: .input, element: .f32, bytes: Self.bytes(of: values))
    }

    static func input(_ values: [Int32]) -> Operand {
        Operand(role: .input, element: .int32, bytes: Self.bytes(of: values))
    }

    static func input(_ values: [Int8]) -> Operand {
        Operand(role: .input, element: .int8, bytes: Self.bytes(of: values))
    }

    static func input(_ values: [UInt16]) -> Operand {
        Operand(role: .input, element: .int16, bytes: Self.bytes(of: values))
    }

    /// Memory that the kernel adds to, or turns in place.
    static func output(_ initial: [Float]) -> Operand {
        Operand(role: .output, element: .f32, bytes: Self.bytes(of: initial))
    }

    /// Memory that the kernel must overwrite: NaN at first.
    static func output(count: Int) -> Operand {
        output([Float](repeating: .nan, count: count))
    }

    /// The number that the entry returns.
    static let returned = Operand(
        role: .output, element: .f64, bytes: [UInt8](repeating: 0xff, count: 8))

    static func bytes(of values: [some BitwiseCopyable]) -> [UInt8] {
        values.withUnsafeBytes { Array($0) }
    }
}

extension AttentionShape {
    /// As a call's integers; the scale is its float.
    var integers: [Int] { [tokens, past, heads, kvHeads, headDim, capacity] }
}
