import Foundation

/// Files that are replaced whole: whoever reads, and whenever the process is killed, there is the old
/// file or the new one.
package enum WholeFile {
    /// Begins the name of a file that is being written; a killed process may leave one behind.
    package static let temporaryPrefix = ".circadia-new-"

    /// Puts `bytes` in the place of the file, on the disk when this returns; mode 0600.
    ///
    /// - Throws: `unwritable`; the old file is as it was then.
    package static func replace(_ url: URL, with bytes: [UInt8]) throws(FileError) {
        let url = url.resolvingSymlinksInPath()
        let folder = url.deletingLastPathComponent()
        removeStrays(of: url)
        let temporary = folder.appendingPathComponent(
            "\(temporaryPrefix)\(url.lastPathComponent)-\(getpid())")
        do throws(FileError) {
            let file = try OpenFile(
                temporary, flags: O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, failure: .write)
            for start in stride(from: 0, to: bytes.count, by: 1 << 24) {
                try file.appendWhole(Array(bytes[start..<min(start + 1 << 24, bytes.count)]))
            }
            try file.synchronize()
            guard rename(temporary.path, url.path) == 0 else {
                throw .unwritable(path: url.path, code: errno)
            }
        } catch {
            unlink(temporary.path)
            throw error
        }
        try OpenFile.synchronizeFolder(folder)
    }

    /// The bytes of a file; nil where there is none.
    package static func read(_ url: URL) throws(FileError) -> [UInt8]? {
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        let file = try OpenFile(url, flags: O_RDONLY, failure: .read)
        return try file.bytes(at: 0, count: try file.size())
    }

    /// Removes a file for good, where it is there.
    package static func remove(_ url: URL) throws(FileError) {
        if unlink(url.path) != 0 && errno != ENOENT {
            throw .unwritable(path: url.path, code: errno)
        }
        try OpenFile.synchronizeFolder(url.deletingLastPathComponent())
    }

    /// Deletes what killed processes left of the same file.
    private static func removeStrays(of url: URL) {
        let folder = url.deletingLastPathComponent()
        let prefix = "\(temporaryPrefix)\(url.lastPathComponent)-"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for name in names where name.hasPrefix(prefix) {
            guard let process = pid_t(name.dropFirst(prefix.count)), kill(process, 0) != 0 else {
                continue
            }
            unlink(folder.appendingPathComponent(name).path)
        }
    }
}
