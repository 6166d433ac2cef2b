/// A fast hash of a byte string: eight bytes at a time, folded by a 128-bit product.
@inline(__always)
func byteHash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    guard let start = bytes.baseAddress else { return 0 }
    let count = bytes.count
    var hash = UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15
    var offset = 0
    while offset &+ 8 <= count {
        let word = UnsafeRawPointer(start + offset).loadUnaligned(as: UInt64.self)
        hash = folded(hash ^ word)
        offset &+= 8
    }
    var rest: UInt64 = 0
    while offset < count {
        rest = rest << 8 | UInt64(start[offset])
        offset &+= 1
    }
    return folded(hash ^ rest)
}

/// The upper half of the product with an odd constant, XORed with the lower half.
@inline(__always)
func folded(_ value: UInt64) -> UInt64 {
    let product = (value ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
    return product.high ^ product.low
}

/// Whether `count` bytes are equal in two places.
@inline(__always)
func areEqual(
    _ a: UnsafeBufferPointer<UInt8>, at i: Int, _ b: UnsafeBufferPointer<UInt8>, at j: Int,
    count: Int
) -> Bool {
    var offset = 0
    while offset < count {
        if a[i &+ offset] != b[j &+ offset] { return false }
        offset &+= 1
    }
    return true
}
