import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFiles
import CircadiaFormats

@Suite struct AffineQuantizerTests {
    /// Numbers that both this test and the script that recorded the digests compute exactly: a
    /// linear congruence, mapped to multiples of 2⁻²⁰ in [−0.5, 0.5), with special groups in front.
    static func values(rows: Int, columns: Int) -> [Float] {
        var state: UInt32 = 12345
        var values = (0..<rows * columns).map { _ -> Float in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Float(Int32(state >> 12) - (1 << 19)) / Float(1 << 20)
        }
        for column in 0..<columns {
            values[column] = 0
            values[columns + column] = 0.25
            values[2 * columns + column] = -0.25
            values[3 * columns + column] = abs(values[3 * columns + column])
            values[4 * columns + column] = -abs(values[4 * columns + column])
        }
        return values
    }

    /// SHA-256 of words, scales and biases (F32) of `mlx.core.quantize` (mlx 0.32) on these values.
    static let recorded: [(bits: Int, groupSize: Int, digest: String)] = [
        (4, 32, "6a968786c1033dbb1336ec6891347c59533044fa27eadc2e6eb43d25ee17964a"),
        (4, 64, "9854c523447cec9c450481415be0ed5a3e60bdc3362fa180bb0ed3335f141109"),
        (4, 128, "63cff7cac88dc69c644d0845b54b342ea84ac2d1ea691543c4809f66208c4a1f"),
        (8, 32, "2978530afa9c5d02c94ecd29946ad2047f20f54f6e94005f30e5236d975f8e26"),
        (8, 64, "2d0cc0246ad8323e6026be82a142322538fb64e84be972e33bc1443c79bde2d0"),
        (8, 128, "a67d8317fa8641fab39be3838f648a10accb196d8049c7b0416bdc9db4c3ea05"),
    ]

    private func digest(_ quantized: AffineQuantizer.Quantized) -> String {
        let bytes =
            littleEndian(quantized.words) + littleEndian(quantized.scales)
            + littleEndian(quantized.biases)
        return bytes.withUnsafeBytes { ContentDigest.hexadecimal(of: $0) }
    }

    @Test(arguments: recorded)
    func recordedResultsOfThePeerAreMet(bits: Int, groupSize: Int, expected: String) {
        let quantized = AffineQuantizer.quantize(
            Self.values(rows: 32, columns: 256), rows: 32, columns: 256, bits: bits,
            groupSize: groupSize)
        #expect(digest(quantized) == expected)
    }

    @Test func theErrorIsAtMostHalfAStep() {
        let values = Self.values(rows: 32, columns: 128)
        let quantized = AffineQuantizer.quantize(
            values, rows: 32, columns: 128, bits: 8, groupSize: 32)
        for (index, value) in values.enumerated() {
            let q = quantized.words[index / 4] >> UInt32(8 * (index % 4)) & 255
            let scale = quantized.scales[index / 32]
            let result = scale * Float(q) + quantized.biases[index / 32]
            // The far end may be clamped, since the scale was moved to hit the near end exactly.
            #expect(abs(result - value) <= 1.01 * abs(scale), "element \(index)")
        }
    }

    @Test(.enabled(if: Surroundings.peersPython != nil, "CIRCADIA_PEERS_PYTHON is not set"))
    func thePeerAgreesBitForBit() throws {
        let folder = try TemporaryFolder()
        var generator = SplitMix64(seed: 77)
        let values = (0..<64 * 256).map { _ in
            Float.random(in: -1...1, using: &generator) * Float.random(in: 0...1, using: &generator)
        }
        try SafetensorsWriter.write(
            [("w", .f32, [64, 256], littleEndian(values))], to: folder.file("w.safetensors"))
        let script = """
            import mlx.core as mx, sys
            w = mx.load(sys.argv[1] + "/w.safetensors")["w"]
            out = {}
            for bits in (4, 8):
                for group in (32, 64, 128):
                    q, s, b = mx.quantize(w, group, bits)
                    out.update({f"{bits}.{group}.{n}": v for n, v in zip("qsb", (q, s, b))})
            mx.save_safetensors(sys.argv[1] + "/q.safetensors", out)
            """
        _ = try Surroundings.python(script, [folder.url.path])
        let file = try SafetensorsFile(path: folder.file("q.safetensors"))
        for bits in [4, 8] {
            for groupSize in [32, 64, 128] {
                let own = AffineQuantizer.quantize(
                    values, rows: 64, columns: 256, bits: bits, groupSize: groupSize)
                let name = "\(bits).\(groupSize)"
                #expect(
                    try file.withBytes(of: "\(name).q") { Array($0) } == littleEndian(own.words))
                #expect(try file.floats(of: "\(name).s") == own.scales)
                #expect(try file.floats(of: "\(name).b") == own.biases)
            }
        }
    }
}
