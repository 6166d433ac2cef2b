import Foundation

extension Reference {
    /// The IEEE binary16 number nearest to `x`, ties to even; too large becomes infinity.
    public static func roundedToHalf(_ x: Double) -> Double {
        guard x.isFinite, x != 0 else { return x }
        // Ten bits follow the leading one; below 2^-14 the spacing stays that of 2^-14.
        let exponent = max(Int(x.exponent), -14)
        let spacing = scalbn(1.0, exponent - 10)
        let rounded = (x / spacing).rounded(.toNearestOrEven) * spacing
        return abs(rounded) > 65504 ? (x < 0 ? -Double.infinity : .infinity) : rounded
    }

    /// The number that the bits of an IEEE binary16 stand for.
    public static func half(bits: UInt16) -> Double {
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
