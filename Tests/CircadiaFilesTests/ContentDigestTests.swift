import Foundation
import Testing

import CircadiaFiles

@Suite struct ContentDigestTests {
    private func digest(_ bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { ContentDigest.hexadecimal(of: $0) }
    }

    /// The examples of FIPS 180-4's authors.
    @Test(
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ] as [(String, String)])
    func knownDigests(text: String, expected: String) {
        #expect(digest(Array(text.utf8)) == expected)
    }

    @Test func aMillionLetters() {
        #expect(
            digest([UInt8](repeating: 0x61, count: 1_000_000))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    /// Lengths around the padding's edges, chained: each digest is the next one's prefix.
    @Test func lengthsAroundABlock() {
        var text = ""
        for count in [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128] {
            text = digest(Array(text.utf8) + [UInt8](repeating: 0x2E, count: count))
        }
        #expect(text == "260d76d0e7401f8c5558a45a24238e41ade240e9c62d58eabddaa2870710b005")
    }
}
