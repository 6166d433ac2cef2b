import CircadiaConversation
import Foundation

/// What the index keeps of an exchange besides its vectors: a fixed number of bytes each.
struct IndexedExchange: Equatable {
    var number: Int64
    /// Tells its conversation from others.
    var session: UInt64
    /// Since 1970; `Int64.min` where unknown.
    var milliseconds: Int64
    /// Words that the user said, and the others.
    var userWords: UInt16
    var otherWords: UInt16
    /// Whether what the user said names a time, and what the others said.
    var userNamesTime: Bool
    var otherNamesTime: Bool

    /// - Parameters:
    ///   - number: the exchange's number; 0 before it has one.
    ///   - exchange: what was said, and when.
    ///   - userWords: words that the user said.
    ///   - otherWords: words that the others said.
    init(number: Int64, exchange: Exchange, userWords: Int, otherWords: Int) {
        self.number = number
        session = Self.hash(exchange.session)
        milliseconds =
            exchange.timestamp.map { Int64(($0.timeIntervalSince1970 * 1000).rounded()) } ?? .min
        self.userWords = UInt16(clamping: userWords)
        self.otherWords = UInt16(clamping: otherWords)
        userNamesTime = TimeWords.namesTime(Self.spoken(exchange, byUser: true))
        otherNamesTime = TimeWords.namesTime(Self.spoken(exchange, byUser: false))
    }

    /// What one side said.
    static func spoken(_ exchange: Exchange, byUser: Bool) -> String {
        exchange.spokenMessages.filter { ($0.role == .user) == byUser }.map(\.content)
            .joined(separator: "\n")
    }

    /// FNV-1a over the session's name; 0 for none.
    private static func hash(_ session: String?) -> UInt64 {
        guard let session else { return 0 }
        return session.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    // MARK: Bytes

    /// Bytes of one, little-endian.
    static let byteCount = 29

    func write(to data: inout Data) {
        func put(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
        }
        put(number)
        put(session)
        put(milliseconds)
        put(userWords)
        put(otherWords)
        put(UInt8(userNamesTime ? 1 : 0) | UInt8(otherNamesTime ? 2 : 0))
    }

    /// The bytes without those of one exchange.
    static func removing(number: Int64, from data: Data) -> Data {
        data.withUnsafeBytes { bytes in
            var kept = Data()
            for offset in stride(from: 0, through: bytes.count - byteCount, by: byteCount)
            where IndexedExchange(bytes: bytes, at: offset).number != number {
                kept.append(contentsOf: bytes[offset..<offset + byteCount])
            }
            return kept
        }
    }

    init(bytes: UnsafeRawBufferPointer, at offset: Int) {
        func get<Value: FixedWidthInteger & BitwiseCopyable>(_ at: Int, _: Value.Type) -> Value {
            Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + at, as: Value.self))
        }
        number = get(0, Int64.self)
        session = get(8, UInt64.self)
        milliseconds = get(16, Int64.self)
        userWords = get(24, UInt16.self)
        otherWords = get(26, UInt16.self)
        let flags = get(28, UInt8.self)
        userNamesTime = flags & 1 != 0
        otherNamesTime = flags & 2 != 0
    }
}
