/// The vocabulary: maps an id to its bytes, and bytes to the id.
///
/// All bytes are in one block. The reverse mapping is an open-addressing hash table of ids that is
/// at most half full, so a lookup usually touches one slot and one token.
struct VocabularyTable: Sendable {
    /// The range of a token's bytes in the block.
    fileprivate struct Entry {
        var start: UInt32
        var count: UInt32
    }

    private var bytes: [UInt8] = []
    private var entries: [Entry] = []
    private var isPresent: [Bool] = []
    private var slots: [Int32] = []
    private var usedSlots = 0

    init() {}

    /// Reserves memory for about `tokens` tokens with `byteCount` bytes in total.
    mutating func reserve(tokens: Int, byteCount: Int) {
        bytes.reserveCapacity(byteCount)
        entries.reserveCapacity(tokens)
        isPresent.reserveCapacity(tokens)
        rehash(slotCount: Self.slotCount(for: tokens))
    }

    /// One more than the largest id.
    var count: Int { entries.count }

    /// Whether a token has this id.
    func contains(_ id: Int32) -> Bool {
        id >= 0 && Int(id) < isPresent.count && isPresent[Int(id)]
    }

    /// Adds a token. `write` appends its bytes to the block and returns whether the token can be
    /// looked up by them. If the id is taken, nothing changes and the result is false.
    mutating func insert(id: Int32, _ write: (inout [UInt8]) -> Bool) -> Bool {
        let index = Int(id)
        if index >= entries.count {
            let missing = index + 1 - entries.count
            entries.append(contentsOf: repeatElement(Entry(start: 0, count: 0), count: missing))
            isPresent.append(contentsOf: repeatElement(false, count: missing))
        }
        if isPresent[index] { return false }
        isPresent[index] = true
        let start = bytes.count
        let canBeLookedUp = write(&bytes)
        entries[index] = Entry(start: UInt32(start), count: UInt32(bytes.count - start))
        if canBeLookedUp { insertIntoSlots(id) }
        return true
    }

    /// The token's bytes; empty for an id without a token.
    @inline(__always)
    func withBytes<Result>(
        of id: Int32, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
    ) rethrows -> Result {
        let known = id >= 0 && Int(id) < entries.count
        let entry = known ? entries[Int(id)] : Entry(start: 0, count: 0)
        return try bytes.withUnsafeBufferPointer { block in
            let range = Int(entry.start)..<Int(entry.start + entry.count)
            return try body(UnsafeBufferPointer(rebasing: block[range]))
        }
    }

    /// The id of the token with exactly these bytes; nil if there is none.
    func id(of token: UnsafeBufferPointer<UInt8>) -> Int32? {
        guard !slots.isEmpty else { return nil }
        return withUnsafeTables { $0.id(of: token) }
    }

    /// The id of the token whose bytes are those of `left` followed by `right`. `scratch` receives
    /// these bytes.
    func id(ofJoining left: Int32, _ right: Int32, scratch: inout [UInt8]) -> Int32? {
        scratch.removeAll(keepingCapacity: true)
        withBytes(of: left) { scratch.append(contentsOf: $0) }
        withBytes(of: right) { scratch.append(contentsOf: $0) }
        return scratch.withUnsafeBufferPointer { id(of: $0) }
    }

    // MARK: Lookup inside loops

    /// The table's storage, valid inside `withUnsafeTables`.
    struct UnsafeTables {
        fileprivate let bytes: UnsafeBufferPointer<UInt8>
        fileprivate let entries: UnsafeBufferPointer<Entry>
        fileprivate let slots: UnsafeBufferPointer<Int32>

        /// The id of the token with exactly these bytes; the table must not be empty.
        @inline(__always)
        func id(of token: UnsafeBufferPointer<UInt8>) -> Int32? {
            let mask = slots.count - 1
            var slot = Int(truncatingIfNeeded: byteHash(token)) & mask
            while true {
                let candidate = slots[slot]
                if candidate < 0 { return nil }
                let entry = entries[Int(candidate)]
                if Int(entry.count) == token.count,
                    areEqual(bytes, at: Int(entry.start), token, at: 0, count: token.count)
                {
                    return candidate
                }
                slot = (slot + 1) & mask
            }
        }
    }

    /// Calls `body` with the table's storage.
    @inline(__always)
    func withUnsafeTables<Result>(_ body: (UnsafeTables) throws -> Result) rethrows -> Result {
        try bytes.withUnsafeBufferPointer { bytes in
            try entries.withUnsafeBufferPointer { entries in
                try slots.withUnsafeBufferPointer { slots in
                    try body(UnsafeTables(bytes: bytes, entries: entries, slots: slots))
                }
            }
        }
    }

    // MARK: Hash table

    private static func slotCount(for tokens: Int) -> Int {
        var count = 16
        while count < tokens * 2 { count *= 2 }
        return count
    }

    private mutating func insertIntoSlots(_ id: Int32) {
        usedSlots += 1
        if usedSlots * 2 > slots.count {
            let count = Self.slotCount(for: usedSlots + usedSlots / 2)
            rehash(slotCount: count)
        }
        place(id)
    }

    private mutating func place(_ id: Int32) {
        let entry = entries[Int(id)]
        let hash = bytes.withUnsafeBufferPointer { block in
            let range = Int(entry.start)..<Int(entry.start + entry.count)
            return byteHash(UnsafeBufferPointer(rebasing: block[range]))
        }
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 { slot = (slot + 1) & mask }
        slots[slot] = id
    }

    private mutating func rehash(slotCount: Int) {
        let previous = slots
        slots = [Int32](repeating: -1, count: slotCount)
        for id in previous where id >= 0 { place(id) }
    }
}
