import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Whole files that survive a crash of the machine.
///
/// `FileReplacement` does the same for files that are too large to hold in memory, `LineFile` for
/// files that only grow.
package enum DurableFile {
    /// Puts `bytes` in the place of a file. They are on the disk when this returns.
    ///
    /// - Parameters:
    ///   - url: the file to make or replace. A link stays a link.
    ///   - bytes: the new contents.
    ///   - mode: permissions of the new file, before the umask.
    /// - Throws: `FileError.unwritable`; the old file is as it was then.
    package static func replace(
        _ url: URL, with bytes: [UInt8], mode: mode_t = 0o600
    ) throws(FileError) {
        TemporaryItems.removeStrays(beside: url.resolvingSymlinksInPath())
        let file = try FileReplacement(of: url, mode: mode)
        try bytes.withUnsafeBytesTyped { (bytes) throws(FileError) in try file.write(bytes) }
        try file.commit()
    }

    /// Puts a text in the place of a file; see `replace(_:with:mode:)` for bytes.
    package static func replace(
        _ url: URL, with text: String, mode: mode_t = 0o600
    ) throws(FileError) {
        try replace(url, with: Array(text.utf8), mode: mode)
    }

    /// The bytes of a file; nil where there is none.
    ///
    /// - Throws: `FileError.unreadable`.
    package static func read(_ url: URL) throws(FileError) -> [UInt8]? {
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        let file = try OpenFile(url, flags: O_RDONLY, failure: .read)
        return try file.bytes(at: 0, count: try file.size())
    }

    /// Removes a file for good, where it is there.
    ///
    /// - Throws: `FileError.unwritable`.
    package static func remove(_ url: URL) throws(FileError) {
        if unlink(url.path) != 0 {
            guard errno != ENOENT else { return }
            throw .unwritable(path: url.path, code: errno)
        }
        try Folder.synchronize(url.deletingLastPathComponent())
    }

    /// Gives a file or folder another name, which is on the disk when this returns.
    ///
    /// The bytes of the file must have been flushed before.
    ///
    /// - Throws: `FileError.unwritable` with the new name; both are as they were then.
    package static func move(_ source: URL, to target: URL) throws(FileError) {
        guard rename(source.path, target.path) == 0 else {
            throw .unwritable(path: target.path, code: errno)
        }
        try Folder.synchronize(target.deletingLastPathComponent())
    }
}
