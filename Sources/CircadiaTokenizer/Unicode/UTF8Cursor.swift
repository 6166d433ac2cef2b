/// A code point and its length in bytes of UTF-8.
struct DecodedScalar {
    var value: UInt32
    var byteCount: Int
}

/// Decodes the code point that starts at `index`. `bytes` must be valid UTF-8 there.
@inline(__always)
func decodeScalar(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> DecodedScalar {
    let first = UInt32(bytes[index])
    if first < 0x80 { return DecodedScalar(value: first, byteCount: 1) }
    func next(_ offset: Int) -> UInt32 { UInt32(bytes[index &+ offset]) & 0x3F }
    if first < 0xE0 { return DecodedScalar(value: (first & 0x1F) << 6 | next(1), byteCount: 2) }
    if first < 0xF0 {
        return DecodedScalar(value: (first & 0x0F) << 12 | next(1) << 6 | next(2), byteCount: 3)
    }
    return DecodedScalar(
        value: (first & 0x07) << 18 | next(1) << 12 | next(2) << 6 | next(3), byteCount: 4)
}

/// The offset of the code point that ends just before `index`.
@inline(__always)
func startOfScalar(_ bytes: UnsafeBufferPointer<UInt8>, before index: Int) -> Int {
    var start = index &- 1
    while bytes[start] & 0xC0 == 0x80 { start &-= 1 }
    return start
}
