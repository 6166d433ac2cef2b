import Testing

import CircadiaFormats

@Suite struct HalfPrecisionTests {
    @Test func everyHalfSurvivesTheRoundTrip() {
        for bits in UInt16.min ... .max {
            let value = HalfPrecision.float(half: bits)
            if value.isNaN {
                #expect(HalfPrecision.float(half: HalfPrecision.half(value)).isNaN)
            } else {
                #expect(HalfPrecision.half(value) == bits, "0x\(String(bits, radix: 16))")
            }
        }
    }

    @Test func everyBfloatSurvivesTheRoundTrip() {
        for bits in UInt16.min ... .max {
            let value = HalfPrecision.float(bfloat: bits)
            if value.isNaN {
                #expect(HalfPrecision.float(bfloat: HalfPrecision.bfloat(value)).isNaN)
            } else {
                #expect(HalfPrecision.bfloat(value) == bits, "0x\(String(bits, radix: 16))")
            }
        }
    }

    @Test(
        arguments: [
            (1 + 0x1p-11, 0x3C00), (1 + 0x1.8p-10, 0x3C02), (65519.99, 0x7BFF),
            (65520, 0x7C00), (0x1p-25, 0x0000), (0x1.000002p-25, 0x0001), (0x1.8p-24, 0x0002),
            (-0.0, 0x8000), (0x1.FF8p-15, 0x03FF), (0x1.FFEp-15, 0x0400),
        ] as [(Float, UInt16)])
    func halvesRoundToNearestEven(value: Float, expected: UInt16) {
        #expect(HalfPrecision.half(value) == expected)
    }

    @Test(
        arguments: [
            (1 + 0x1p-8, 0x3F80), (1 + 0x1.8p-7, 0x3F82), (-1 - 0x1.8p-8, 0xBF81),
            (.greatestFiniteMagnitude, 0x7F80),
        ] as [(Float, UInt16)])
    func bfloatsRoundToNearestEven(value: Float, expected: UInt16) {
        #expect(HalfPrecision.bfloat(value) == expected)
    }
}
