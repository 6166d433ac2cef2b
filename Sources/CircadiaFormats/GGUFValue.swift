/// A metadata value of a GGUF file.
package enum GGUFValue: Sendable, Equatable {
    /// Any unsigned or signed integer type; the value must fit `Int`.
    case integer(Int)
    /// An f32 (by its shortest decimal text) or an f64.
    case float(Double)
    /// A boolean.
    case bool(Bool)
    /// A string.
    case string(String)
    /// An array of values of one type.
    case array([GGUFValue])

    /// The integer; nil for other values.
    package var intValue: Int? {
        if case .integer(let value) = self { return value }
        return nil
    }

    /// The number; nil for other values.
    package var doubleValue: Double? {
        switch self {
        case .float(let value): value
        case .integer(let value): Double(value)
        default: nil
        }
    }

    /// The string; nil for other values.
    package var stringValue: String? {
        if case .string(let value) = self { return value }
        return nil
    }

    /// The boolean; nil for other values.
    package var boolValue: Bool? {
        if case .bool(let value) = self { return value }
        return nil
    }

    /// The elements; nil for other values.
    package var arrayValue: [GGUFValue]? {
        if case .array(let value) = self { return value }
        return nil
    }
}

/// The element formats of GGUF tensors that can be imported without loss.
package enum GGUFTensorType: UInt32, Sendable, Equatable, CaseIterable {
    /// IEEE binary32.
    case f32 = 0
    /// IEEE binary16.
    case f16 = 1
    /// 32 elements: f16 d, 16 bytes of nibbles; w = d · (q − 8).
    case q4_0 = 2
    /// 32 elements: f16 d, f16 m, 16 bytes of nibbles; w = d · q + m.
    case q4_1 = 3
    /// 32 elements: f16 d, 32 int8; w = d · q.
    case q8_0 = 8
    /// The upper half of a binary32.
    case bf16 = 30

    /// The number of elements in a block.
    package var blockSize: Int { isQuantized ? 32 : 1 }

    /// The size of a block in bytes.
    package var blockByteCount: Int {
        switch self {
        case .f32: 4
        case .f16, .bf16: 2
        case .q4_0: 18
        case .q4_1: 20
        case .q8_0: 34
        }
    }

    /// Whether it has blocks with a scale.
    package var isQuantized: Bool { self == .q4_0 || self == .q4_1 || self == .q8_0 }

    /// The MLX format that represents the same values; nil for dense types.
    package var quantization: QuantizationFormat? {
        switch self {
        case .q4_0, .q4_1: QuantizationFormat(bits: 4, groupSize: 32)
        case .q8_0: QuantizationFormat(bits: 8, groupSize: 32)
        default: nil
        }
    }

    /// The name of any GGUF tensor type, for messages.
    static func name(of raw: UInt32) -> String {
        let names: [UInt32: String] = [
            0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1",
            10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS",
            17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S",
            23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M",
            30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
        ]
        return names[raw] ?? "type \(raw)"
    }
}
