/// 64-bit FNV-1a with a final mix. The same text has the same number on every machine and in every
/// run, unlike with Swift's `Hasher`.
package enum StableHash {
    /// The hash of a text.
    package static func of(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        hash = (hash ^ (hash >> 33)) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ (hash >> 33)) &* 0xc4ce_b9fe_1a85_ec53
        return hash ^ (hash >> 33)
    }

    /// The hash of a text as a number in 0 ..< 1.
    package static func fraction(of text: String) -> Double {
        Double(of(text) >> 11) / Double(1 << 53)
    }
}
