import CircadiaFiles
import CircadiaKernels
import Foundation

/// The index of a store as a file beside the database, so that the first search of a program maps it
/// into memory in place of reading all blocks.
///
/// It is derived from the database and can be deleted at any time. It is used only where it belongs to
/// this database, nothing was removed since, its last exchanges are the database's, and its checksum is
/// right; what was added since is read from the database. It is written whole and then renamed.
enum SearchCache {
    /// What the file was made from.
    struct Source: Equatable {
        /// The database's random name, and how often something was removed from it.
        var identity: UInt64
        var removals: Int64
        var width: Int
    }

    static func file(in directory: URL) -> URL {
        directory.appendingPathComponent("search-index.cache")
    }

    /// Deletes the file, and those that were not finished: all hold vectors of what was said.
    ///
    /// The caller holds the store's lock, so no running process is writing one.
    static func remove(in directory: URL) {
        unlink(file(in: directory).path)
        TemporaryItems.removeStrays(beside: file(in: directory))
        // 0.1.0 wrote under this name.
        unlink(directory.appendingPathComponent("search-index.cache.new").path)
    }

    /// The first bytes of the file.
    private struct Header: BitwiseCopyable {
        static let magic: UInt64 = 0x3158_4449_4443_5243
        var magic = Header.magic
        static let version: Int64 = 2
        var version = Header.version
        var checksum: UInt64 = 0
        var identity: UInt64
        var removals: Int64
        var width: Int64
        var tailBlock: Int64
        var tailRow: Int64
        var tailHash: UInt64
        var numbers: IndexContents.Numbers
    }

    /// The part of the index that the database's blocks up to one of them make up.
    struct Loaded {
        let contents: IndexContents
        let tailBlock: Int64
        let tailRow: Int
        /// Of the last block's exchanges, see `hash(_:)`.
        let tailHash: UInt64
    }

    /// Reads the file; nil where there is none that fits.
    static func load(in directory: URL, source: Source) -> Loaded? {
        let descriptor = open(file(in: directory).path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        var bytes = [UInt8](repeating: 0, count: MemoryLayout<Header>.size)
        guard fstat(descriptor, &status) == 0,
            pread(descriptor, &bytes, bytes.count, 0) == bytes.count
        else { return nil }
        let header = bytes.withUnsafeBytes { $0.loadUnaligned(as: Header.self) }
        let found = Source(
            identity: header.identity, removals: header.removals, width: Int(header.width))
        if found.identity != source.identity || found.removals != source.removals {
            // It may hold what was removed, by a program that was killed before it came to this.
            remove(in: directory)
            return nil
        }
        guard header.magic == Header.magic, header.version == Header.version, found == source,
            let sizes = header.numbers.sectionSizes(width: source.width)
        else { return nil }
        var sections: [MappedSection] = []
        var offset = MappedSection.alignment
        let byteCount = sizes.reduce(offset) { $0 + MappedSection.aligned($1) }
        guard Int(status.st_size) == byteCount else { return nil }
        for size in sizes {
            guard
                let section = MappedSection(
                    descriptor: descriptor, offset: offset, byteCount: size)
            else { return nil }
            sections.append(section)
            offset += MappedSection.aligned(size)
        }
        let parts = zip(sections, sizes).map {
            UnsafeRawBufferPointer(start: $0.pointer, count: $1)
        }
        guard checksum(header, parts) == header.checksum else { return nil }
        return Loaded(
            contents: IndexContents(header.numbers, width: source.width, sections),
            tailBlock: header.tailBlock, tailRow: Int(header.tailRow), tailHash: header.tailHash)
    }

    /// Writes the file; the caller holds the store's lock.
    ///
    /// - Returns: whether it is there; a full disk is no failure of a search.
    @discardableResult
    static func save(_ loaded: Loaded, in directory: URL, source: Source) -> Bool {
        let contents = loaded.contents
        var header = Header(
            identity: source.identity, removals: source.removals, width: Int64(source.width),
            tailBlock: loaded.tailBlock, tailRow: Int64(loaded.tailRow),
            tailHash: loaded.tailHash, numbers: contents.numbers)
        let parts = contents.sections
        header.checksum = checksum(header, parts)
        do {
            let file = try FileReplacement(of: file(in: directory))
            try withUnsafeBytes(of: header) { try file.write($0, at: 0) }
            var offset = MappedSection.alignment
            for part in parts {
                try file.write(part, at: offset)
                offset += MappedSection.aligned(part.count)
            }
            try file.resize(to: offset)
            try file.commit()
            return true
        } catch {
            return false
        }
    }

    // MARK: Checksums

    /// Of the exchanges of a block as the database has them.
    static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    private static func checksum(_ header: Header, _ parts: [UnsafeRawBufferPointer]) -> UInt64 {
        var header = header
        header.checksum = 0
        var sum = withUnsafeBytes(of: header) { hash($0) }
        for part in parts {
            let chunk = 1 << 20
            var sums = [UInt64](repeating: 0, count: (part.count + chunk - 1) / chunk)
            sums.withUnsafeMutableBufferPointer { sums in
                KernelRuntime.forRanges(of: sums.count, grain: 1) { range in
                    for index in range {
                        let end = min(part.count, (index + 1) * chunk)
                        sums[index] = mixed(
                            UnsafeRawBufferPointer(rebasing: part[index * chunk..<end]))
                    }
                }
            }
            for next in sums { sum = (sum ^ next) &* 0x9E37_79B9_7F4A_7C15 &+ 1 }
        }
        return sum
    }

    /// Four sums side by side, so that a multiplication need not wait for the one before.
    private static func mixed(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        let prime: UInt64 = 0x9E37_79B9_7F4A_7C15
        var (a, b, c, d): (UInt64, UInt64, UInt64, UInt64) = (1, 2, 3, 4)
        var offset = 0
        while offset + 32 <= bytes.count {
            a = (a ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* prime
            b = (b ^ bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)) &* prime
            c = (c ^ bytes.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self)) &* prime
            d = (d ^ bytes.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self)) &* prime
            offset += 32
        }
        let rest = hash(UnsafeRawBufferPointer(rebasing: bytes[offset...]))
        return [b, c, d, rest].reduce(a) { ($0 ^ ($0 >> 29) ^ $1) &* prime }
    }
}
