import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file of lines that is only ever added to, by several programs at once.
///
/// Each addition is one write under an exclusive lock and is on the disk when `append` returns.
package struct LineFile: Sendable {
    /// Where the file is.
    package let url: URL

    /// A file at `url`; neither it nor its folder need exist.
    package init(_ url: URL) { self.url = url }

    /// What to do with a last line that has no line feed, which a crash may have cut off.
    package enum TornLine: Sendable {
        /// End it with a line feed.
        case complete
        /// Keep its bytes in a new file of that name and cut it off.
        case moveAside(to: URL)
    }

    /// What was done about a last line without a line feed.
    package enum Repair: Sendable, Equatable {
        /// The last line was whole.
        case none
        /// Only its line feed was missing; it was added.
        case completed
        /// Its bytes are now in a file of their own.
        case movedAside(to: URL)
    }

    /// Adds lines at the end. The file is made with mode 0600 where it is missing, its folder with
    /// mode 0700.
    ///
    /// - Parameters:
    ///   - lines: whole lines, each with its line feed.
    ///   - header: goes before them where the file is empty.
    ///   - torn: says what becomes of the bytes of a torn last line.
    /// - Returns: what was done about a torn last line.
    /// - Throws: `FileError.folderNotMade`, `.unwritable`; no half line stays then.
    @discardableResult
    package func append(
        _ lines: [UInt8], header: [UInt8] = [],
        torn: (_ line: [UInt8]) -> TornLine = { _ in .complete }
    ) throws(FileError) -> Repair {
        let folder = url.deletingLastPathComponent()
        try Folder.create(folder)
        while true {
            let isNew = !FileManager.default.fileExists(atPath: url.path)
            let file = try OpenFile(url, flags: O_RDWR | O_APPEND | O_CREAT, failure: .write)
            try file.lock(exclusive: true)
            // While we waited, another program may have put a new file in its place.
            guard try file.isStillAtPath() else { continue }
            let repair = try Self.repairLastLine(of: file, torn: torn)
            let isEmpty = try file.size() == 0
            try file.appendWhole(isEmpty ? header + lines : lines)
            try file.synchronize()
            if isNew { try Folder.synchronize(folder) }
            return repair
        }
    }

    /// Repairs a torn last line of a file that exists.
    ///
    /// - Parameter torn: says what becomes of its bytes.
    /// - Returns: what was done.
    /// - Throws: `FileError.unwritable`.
    package func repair(torn: (_ line: [UInt8]) -> TornLine) throws(FileError) -> Repair {
        let file = try OpenFile(url, flags: O_RDWR | O_APPEND, failure: .write)
        try file.lock(exclusive: true)
        return try Self.repairLastLine(of: file, torn: torn)
    }

    /// The caller holds the exclusive lock.
    private static func repairLastLine(
        of file: OpenFile, torn: ([UInt8]) -> TornLine
    ) throws(FileError) -> Repair {
        let size = try file.size()
        let lineFeed = UInt8(ascii: "\n")
        guard size > 0, try file.bytes(at: size - 1, count: 1) != [lineFeed] else { return .none }
        let start = try startOfLastLine(in: file, size: size)
        let tail = try file.bytes(at: start, count: size - start)
        switch torn(tail) {
        case .complete:
            try file.appendWhole([lineFeed])
            try file.synchronize()
            return .completed
        case .moveAside(let aside):
            let kept = try OpenFile(
                aside, flags: O_WRONLY | O_APPEND | O_CREAT | O_EXCL, failure: .write)
            try kept.appendWhole(tail)
            try kept.synchronize()
            try Folder.synchronize(aside.deletingLastPathComponent())
            try file.truncate(to: start)
            try file.synchronize()
            return .movedAside(to: aside)
        }
    }

    private static func startOfLastLine(
        in file: OpenFile, size: Int
    ) throws(FileError) -> Int {
        var end = size
        while end > 0 {
            let start = max(0, end - (1 << 16))
            let piece = try file.bytes(at: start, count: end - start)
            if let newline = piece.lastIndex(of: UInt8(ascii: "\n")) {
                return start + newline + 1
            }
            end = start
        }
        return 0
    }
}
