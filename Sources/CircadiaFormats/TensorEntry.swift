import CircadiaKernels

/// The dtype of a tensor in a safetensors file, by its name in the header.
package enum SafetensorsType: String, Sendable, Equatable, CaseIterable {
    /// Booleans, a byte each.
    case bool = "BOOL"
    /// Unsigned 8 bits.
    case u8 = "U8"
    /// Signed 8 bits.
    case i8 = "I8"
    /// Float, 8 bits, 5 of them exponent.
    case f8e5m2 = "F8_E5M2"
    /// Float, 8 bits, 4 of them exponent.
    case f8e4m3 = "F8_E4M3"
    /// Unsigned 16 bits.
    case u16 = "U16"
    /// Signed 16 bits.
    case i16 = "I16"
    /// IEEE binary16.
    case f16 = "F16"
    /// The upper half of a binary32.
    case bf16 = "BF16"
    /// Unsigned 32 bits.
    case u32 = "U32"
    /// Signed 32 bits.
    case i32 = "I32"
    /// IEEE binary32.
    case f32 = "F32"
    /// Unsigned 64 bits.
    case u64 = "U64"
    /// Signed 64 bits.
    case i64 = "I64"
    /// IEEE binary64.
    case f64 = "F64"

    /// The size of one element in bytes.
    package var byteCount: Int {
        switch self {
        case .bool, .u8, .i8, .f8e5m2, .f8e4m3: 1
        case .u16, .i16, .f16, .bf16: 2
        case .u32, .i32, .f32: 4
        case .u64, .i64, .f64: 8
        }
    }

    /// The kernels' format; nil for other dtypes.
    package var floatFormat: FloatFormat? {
        switch self {
        case .f32: .f32
        case .f16: .f16
        case .bf16: .bf16
        default: nil
        }
    }
}

/// One tensor of a safetensors file.
package struct TensorEntry: Sendable, Equatable {
    /// Its name.
    package let name: String
    /// The type of its elements.
    package let type: SafetensorsType
    /// Its dimensions, outermost first; row-major.
    package let shape: [Int]
    /// The range of its bytes, counted from the start of the file.
    package let byteRange: Range<Int>

    /// The number of elements.
    package var elementCount: Int { shape.reduce(1, *) }
}
