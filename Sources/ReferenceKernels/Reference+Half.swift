import Foundation

extension Reference {
    /// The value of an IEEE binary16 with these bits.
    package static func half(bits: UInt16) -> Double {
        let sign: Double = bits & 0x8000 == 0 ? 1 : -1
        let exponent = Int(bits >> 10 & 0x1f)
        let mantissa = Double(bits & 0x3ff)
        switch exponent {
        case 0: return sign * mantissa * scalbn(1.0, -24)
        case 31: return mantissa == 0 ? sign * .infinity : .nan
        default: return sign * (1024 + mantissa) * scalbn(1.0, exponent - 25)
        }
    }
}
