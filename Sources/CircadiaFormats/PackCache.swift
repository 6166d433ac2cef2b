import CircadiaFiles
import CircadiaKernels
import Foundation

/// Packed weights on the disk, next to their checkpoint, so that the next start reads them instead
/// of packing again.
///
/// The file `.circadia-pack-v1` consists of a 64-byte header (magic, versions, key, place and
/// checksum of the table, file size), the packed matrices at multiples of 64 bytes, and a JSON
/// table. The key is a digest of the names, sizes, times and inodes of the source files. The file
/// is written in the background, synced and renamed, so it is complete or absent. If writing fails
/// (a read-only directory, a full disk), only time is lost.
enum PackCache {
    /// The name of the file.
    static let fileName = ".circadia-pack-v\(WeightMatrix.packVersion)"
    static let magic: UInt64 = 0x4B43_4150_4341_4331  // "1CACPACK" little-endian
    static let formatVersion: UInt32 = 1
    static let headerByteCount = 64
    /// Whether the environment allows cache files.
    static var isWanted: Bool { ProcessInfo.processInfo.environment["CIRCADIA_PACK_CACHE"] != "0" }
    static let alignment = 64

    /// The description of a stored matrix. A cached matrix can replace the wanted one if they are
    /// equal.
    struct Shape: Sendable, Equatable {
        var rows: Int
        var columns: Int
        var bits: Int
        var groupSize: Int
        var scaleFormat: FloatFormat

        var byteCount: Int? {
            WeightMatrix.packedByteCount(
                rows: rows, columns: columns, bits: bits, groupSize: groupSize,
                scaleFormat: scaleFormat)
        }

        var json: JSONValue {
            let scale = scaleFormat == .f32 ? "F32" : scaleFormat == .f16 ? "F16" : "BF16"
            return .array([
                .integer(rows), .integer(columns), .integer(bits), .integer(groupSize),
                .string(scale),
            ])
        }
    }

    /// A key that changes with any of the files; nil if one cannot be read.
    static func key(of files: [URL]) -> UInt64? {
        var text = ""
        for file in files {
            var status = stat()
            guard stat(file.path, &status) == 0 else { return nil }
            #if os(Linux)
                let time = status.st_mtim
            #else
                let time = status.st_mtimespec
            #endif
            text += "\(file.lastPathComponent) \(status.st_size) \(time.tv_sec).\(time.tv_nsec) "
            text += "\(status.st_ino)\n"
        }
        return checksum(Array(text.utf8))
    }

    /// FNV-1a over bytes.
    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash
    }

    /// The header for a finished file.
    static func header(key: UInt64, tableOffset: Int, table: [UInt8]) -> [UInt8] {
        let words: [UInt64] = [
            magic, UInt64(formatVersion) | UInt64(WeightMatrix.packVersion) << 32, key,
            UInt64(tableOffset), UInt64(table.count), checksum(table),
            UInt64(tableOffset + table.count), 0,
        ]
        return words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
    }
}

/// A complete, current cache file.
///
/// `@unchecked Sendable`: nothing is written after `init`.
final class PackCacheFile: @unchecked Sendable {
    private typealias Entries = [String: (shape: JSONValue, range: Range<Int>)]

    private let owner: AnyObject
    private let bytes: UnsafeRawBufferPointer
    private let entries: Entries

    /// The file is copied to memory only if it is at most this fraction (1/n) of the machine's
    /// memory.
    private static let largestShareInMemory: UInt64 = 4

    /// Opens the cache of a directory; nil if it is missing, stale or damaged.
    ///
    /// The weights are copied to huge pages, because every token reads them faster there than from
    /// the mapped file. If they would take too much memory, they stay mapped.
    init?(_ url: URL, key: UInt64) {
        guard let file = try? MappedFile(url),
            let entries = file.withBytes({ Self.entries($0, key: key, path: url.path) })
        else { return nil }
        self.entries = entries
        let limit = ProcessInfo.processInfo.physicalMemory / Self.largestShareInMemory
        if UInt64(file.bytes.count) <= limit, let copy = Self.copy(of: file) {
            owner = copy
            bytes = UnsafeRawBufferPointer(start: copy.pointer, count: copy.count)
        } else {
            owner = file
            bytes = file.bytes
            // Reading ahead loads the pages while the rest of the model is set up.
            if let base = file.bytes.baseAddress {
                madvise(
                    UnsafeMutableRawPointer(mutating: base), file.bytes.count, MADV_WILLNEED)
            }
        }
    }

    /// The file's bytes, read by all processors at once; nil if the file changes meanwhile.
    private static func copy(of file: MappedFile) -> AlignedBuffer<UInt8>? {
        let descriptor = open(file.url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let count = file.bytes.count
        let buffer = AlignedBuffer<UInt8>(uninitializedCount: count)
        let pieceBytes = 8 << 20
        let pieces = (count + pieceBytes - 1) / pieceBytes
        let whole = UnsafeMutablePointer<Bool>.allocate(capacity: pieces)
        defer { whole.deallocate() }
        // Each piece writes only its own bytes and its own result.
        nonisolated(unsafe) let results = whole
        nonisolated(unsafe) let target = buffer.pointer
        DispatchQueue.concurrentPerform(iterations: pieces) { piece in
            var position = piece * pieceBytes
            let end = min(count, position + pieceBytes)
            while position < end {
                let got = pread(
                    descriptor, target + position, end - position, off_t(position))
                if got <= 0 { break }
                position += got
            }
            results[piece] = position == end
        }
        return (0..<pieces).allSatisfy { whole[$0] } ? buffer : nil
    }

    private static func entries(
        _ bytes: UnsafeRawBufferPointer, key: UInt64, path: String
    ) -> Entries? {
        guard bytes.count >= PackCache.headerByteCount else { return nil }
        let words = (0..<8).map {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self))
        }
        guard let tableOffset = Int(exactly: words[3]), let tableCount = Int(exactly: words[4]),
            tableOffset <= bytes.count, tableCount == bytes.count - tableOffset
        else { return nil }
        let table = UnsafeRawBufferPointer(rebasing: bytes[tableOffset...])
        // The header must belong to this table and key.
        let expected = PackCache.header(key: key, tableOffset: tableOffset, table: Array(table))
        guard expected.elementsEqual(bytes[0..<PackCache.headerByteCount]),
            let json = try? JSONValue(parsing: table, path: path)
        else { return nil }
        var entries: Entries = [:]
        for (path, value) in json.objectValue?.members ?? [] {
            guard let shape = value["shape"], let offset = value["offset"]?.intValue,
                let count = value["bytes"]?.intValue, offset >= 0, count >= 0,
                offset.isMultiple(of: PackCache.alignment), offset <= tableOffset,
                count <= tableOffset - offset
            else { return nil }
            entries[path] = (shape, offset..<offset + count)
        }
        return entries
    }

    /// The packed matrix of a module; nil if the file has none of that shape.
    func matrix(_ path: String, _ shape: PackCache.Shape) -> WeightMatrix? {
        guard let entry = entries[path], entry.shape == shape.json,
            entry.range.count == shape.byteCount
        else { return nil }
        return WeightMatrix(
            packed: UnsafeRawBufferPointer(rebasing: bytes[entry.range]), owner: owner,
            rows: shape.rows, columns: shape.columns, bits: shape.bits,
            groupSize: shape.groupSize, scaleFormat: shape.scaleFormat)
    }
}

/// Writes a cache file in the background while matrices are packed. It is complete when every
/// announced module has arrived.
///
/// `@unchecked Sendable`: only its serial queue touches the mutable properties.
final class PackCacheWriter: @unchecked Sendable {
    private let target: URL
    private let key: UInt64
    private let queue = DispatchQueue(label: "circadia.pack-cache", qos: .utility)
    // The following properties are used on the queue only.
    private var file: FileReplacement?
    private var missing: Set<String>
    private var table = JSONObject()
    private var position = PackCache.headerByteCount

    /// Starts a file; nil if the directory is not writable.
    init?(_ target: URL, key: UInt64, modules: Set<String>) {
        guard !modules.isEmpty else { return nil }
        TemporaryItems.removeStrays(beside: target)
        guard let file = try? FileReplacement(of: target, mode: 0o644) else { return nil }
        self.target = target
        self.key = key
        self.file = file
        missing = modules
    }

    /// Queues a packed matrix for writing.
    func add(_ matrix: WeightMatrix, _ path: String, _ shape: PackCache.Shape) {
        queue.async { [self] in
            guard let file, missing.remove(path) != nil else { return }
            do throws {
                try write(matrix, path, shape, to: file)
                if missing.isEmpty { try seal(file) }
            } catch {
                // The cache is optional: on a full disk the file is dropped and the model works
                // without it.
                self.file = nil
            }
            if missing.isEmpty { self.file = nil }
        }
    }

    /// Waits until all queued matrices are on the disk.
    func wait() { queue.sync {} }

    private func write(
        _ matrix: WeightMatrix, _ path: String, _ shape: PackCache.Shape, to file: FileReplacement
    ) throws {
        position = (position + PackCache.alignment - 1) / PackCache.alignment * PackCache.alignment
        let bytes = matrix.packedBytes
        defer { withExtendedLifetime(matrix) {} }
        try file.write(bytes, at: position)
        table[path] = .object([
            "shape": shape.json, "offset": .integer(position), "bytes": .integer(bytes.count),
        ])
        position += bytes.count
    }

    private func seal(_ file: FileReplacement) throws {
        let text = Array(JSONValue.object(table).text().utf8)
        let header = PackCache.header(key: key, tableOffset: position, table: text)
        try text.withUnsafeBytesTyped { (bytes) throws in
            try file.write(bytes, at: position)
        }
        try header.withUnsafeBytesTyped { (bytes) throws in
            try file.write(bytes, at: 0)
        }
        try file.commit()
    }
}
