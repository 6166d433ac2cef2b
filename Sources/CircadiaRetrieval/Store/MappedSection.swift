import Foundation

/// A part of a file in memory, with room to grow behind it. Writes stay in memory.
final class MappedSection {
    let pointer: UnsafeMutableRawPointer
    /// Bytes of the part and of the room.
    let byteCount: Int

    /// Borders at which parts of a file may begin, for pages of every size in use.
    static let alignment = 65_536

    static func aligned(_ byteCount: Int) -> Int {
        (byteCount + alignment - 1) / alignment * alignment
    }

    /// Maps `byteCount` bytes, which the file has to have, from `offset`, a multiple of `alignment`;
    /// nil where the system refuses.
    init?(descriptor: Int32, offset: Int, byteCount: Int) {
        // Room that nobody writes to costs addresses only.
        self.byteCount = Self.aligned(byteCount + byteCount / 8) + Self.alignment
        let room = mmap(
            nil, self.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
        guard let room, room != MAP_FAILED else { return nil }
        pointer = room
        if byteCount > 0 {
            let part = mmap(
                room, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, descriptor,
                off_t(offset))
            if part == MAP_FAILED { return nil }
        }
    }

    deinit { munmap(pointer, byteCount) }
}
