import CircadiaKernels
import ReferenceKernels

/// Operands in the formats of weights and caches.
extension Operand {
    /// Numbers that `format` holds exactly.
    static func input(_ values: [Float], _ format: FloatFormat) -> Operand {
        Operand(role: .input, element: Element(format), bytes: bytes(of: values, format))
    }

    /// Numbers that `format` holds exactly, to be overwritten.
    static func output(_ initial: [Float], _ format: FloatFormat) -> Operand {
        Operand(role: .output, element: Element(format), bytes: bytes(of: initial, format))
    }

    static func bytes(of values: [Float], _ format: FloatFormat) -> [UInt8] {
        switch format {
        case .f32: bytes(of: values)
        case .bf16: bytes(of: values.map { UInt16($0.bitPattern >> 16) })
        case .f16: bytes(of: values.map { halves[$0] ?? 0 })
        }
    }

    /// What memory of this operand holds, in double precision.
    func values(_ bytes: UnsafeRawBufferPointer) -> [Double] {
        let offsets = stride(from: 0, to: bytes.count, by: element.byteCount)
        return switch element {
        case .f32:
            offsets.map { Double(bytes.loadUnaligned(fromByteOffset: $0, as: Float.self)) }
        case .f64: offsets.map { bytes.loadUnaligned(fromByteOffset: $0, as: Double.self) }
        case .int8:
            offsets.map { Double(bytes.loadUnaligned(fromByteOffset: $0, as: Int8.self)) }
        case .int16:
            offsets.map { Double(bytes.loadUnaligned(fromByteOffset: $0, as: Int16.self)) }
        case .int32:
            offsets.map { Double(bytes.loadUnaligned(fromByteOffset: $0, as: Int32.self)) }
        case .f16:
            offsets.map {
                Reference.half(bits: bytes.loadUnaligned(fromByteOffset: $0, as: UInt16.self))
            }
        case .bf16:
            offsets.map {
                let bits = bytes.loadUnaligned(fromByteOffset: $0, as: UInt16.self)
                return Double(Float(bitPattern: UInt32(bits) << 16))
            }
        }
    }

    /// The bits of every half, by its value.
    private static let halves: [Float: UInt16] = {
        var table: [Float: UInt16] = [0: 0]
        for bits in 1..<UInt16(0x7c00) {
            let value = Float(Reference.half(bits: bits))
            table[value] = bits
            table[-value] = bits | 0x8000
        }
        return table
    }()
}

extension Operand.Element {
    init(_ format: FloatFormat) {
        switch format {
        case .f32: self = .f32
        case .f16: self = .f16
        case .bf16: self = .bf16
        }
    }
}

extension FloatFormat {
    /// In the order of `ck_dtype_t`, whose numbers stand among a call's integers.
    static let numbered: [FloatFormat] = [.f32, .f16, .bf16]

    var number: Int { Self.numbered.firstIndex(of: self) ?? 0 }
}

extension CacheFormat {
    /// In the order of `ck_cache_format_t`, whose numbers stand among a call's integers.
    var number: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// The largest integer; nil where numbers are kept as they are.
    var most: Double? {
        switch self {
        case .f32: nil
        case .int16: 32767
        case .int8: 127
        }
    }

    var element: Operand.Element {
        switch self {
        case .f32: .f32
        case .int16: .int16
        case .int8: .int8
        }
    }
}

extension Operand {
    /// Numbers of a cache of `format`, or its steps (absent where it has none).
    static func cache(_ numbers: [Double], _ format: CacheFormat, role: Role) -> Operand {
        let bytes =
            switch format {
            case .f32: bytes(of: numbers.map { Float($0) })
            case .int16: bytes(of: numbers.map { Int16($0) })
            case .int8: bytes(of: numbers.map { Int8($0) })
            }
        return Operand(role: role, element: format.element, bytes: bytes)
    }

    static func cacheSteps(_ steps: [Double], role: Role) -> Operand {
        steps.isEmpty
            ? .absent
            : Operand(role: role, element: .f32, bytes: bytes(of: steps.map { Float($0) }))
    }
}

extension Precision {
    /// In the order of `ck_precision_t`, whose numbers stand among a call's integers.
    static let numbered: [Precision] = [.exact, .int8, .bf16, .int8x2]

    /// The int8 digits that activations are rounded to; 0 where they stay floats.
    var digits: Int {
        switch self {
        case .exact, .bf16: 0
        case .int8: 1
        case .int8x2: 2
        }
    }

    var number: Int { Self.numbered.firstIndex(of: self) ?? 0 }
}
