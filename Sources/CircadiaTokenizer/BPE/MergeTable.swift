/// The merges: which two adjacent tokens become one, in order of preference.
///
/// It is an open-addressing hash table from a pair of ids to rank and result, at most half full.
struct MergeTable: Sendable {
    /// The result of a merge and its rank; a lower rank merges first.
    struct Merge {
        var rank: UInt32
        var result: Int32
    }

    fileprivate struct Slot {
        var pair: UInt64
        var merge: Merge
    }

    /// Marks an empty slot; no pair has this value, because ids are never negative.
    fileprivate static let empty = UInt64.max
    private var slots: [Slot]
    private(set) var count = 0

    init(capacity: Int) {
        var slotCount = 16
        while slotCount < capacity * 2 { slotCount *= 2 }
        slots = Self.emptySlots(slotCount)
    }

    /// Adds a merge. A later merge for the same pair replaces an earlier one.
    mutating func insert(_ left: Int32, _ right: Int32, _ merge: Merge) {
        if (count + 1) * 2 > slots.count { grow() }
        let pair = Self.key(left, right)
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: folded(pair)) & mask
        while slots[index].pair != Self.empty && slots[index].pair != pair {
            index = (index + 1) & mask
        }
        if slots[index].pair == Self.empty { count += 1 }
        slots[index] = Slot(pair: pair, merge: merge)
    }

    /// The table's storage, valid inside `withUnsafeTable`.
    struct UnsafeTable {
        fileprivate let slots: UnsafeBufferPointer<Slot>

        /// The merge of `left` followed by `right`; nil if there is none.
        @inline(__always)
        func merge(_ left: Int32, _ right: Int32) -> Merge? {
            let pair = MergeTable.key(left, right)
            let mask = slots.count &- 1
            var index = Int(truncatingIfNeeded: folded(pair)) & mask
            while true {
                let slot = slots[index]
                if slot.pair == pair { return slot.merge }
                if slot.pair == MergeTable.empty { return nil }
                index = (index &+ 1) & mask
            }
        }
    }

    /// Calls `body` with the table's storage.
    @inline(__always)
    func withUnsafeTable<Result>(_ body: (UnsafeTable) throws -> Result) rethrows -> Result {
        try slots.withUnsafeBufferPointer { try body(UnsafeTable(slots: $0)) }
    }

    @inline(__always)
    fileprivate static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    private static func emptySlots(_ count: Int) -> [Slot] {
        [Slot](repeating: Slot(pair: empty, merge: Merge(rank: 0, result: 0)), count: count)
    }

    private mutating func grow() {
        let previous = slots
        slots = Self.emptySlots(previous.count * 2)
        count = 0
        for slot in previous where slot.pair != Self.empty {
            insert(
                Int32(truncatingIfNeeded: slot.pair >> 32), Int32(truncatingIfNeeded: slot.pair),
                slot.merge)
        }
    }
}
