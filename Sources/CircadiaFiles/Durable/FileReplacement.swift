import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file that is written piece by piece and appears whole or not at all.
///
/// The bytes go to a temporary file beside the target. `commit` flushes it to the disk, gives it the
/// target's name and flushes the folder. A reader, or a process that is killed, finds the old file or
/// the new one. Without `commit` the temporary file goes with this object.
package final class FileReplacement {
    private let url: URL
    private let target: URL
    private let temporary: URL
    private var descriptor: Int32
    private var isCommitted = false

    /// Creates the temporary file.
    ///
    /// - Parameters:
    ///   - url: the file to make or replace. A link stays a link: what it points at is replaced.
    ///   - mode: permissions of the new file, before the umask.
    /// - Throws: `FileError.unwritable`.
    package init(of url: URL, mode: mode_t = 0o600) throws(FileError) {
        self.url = url
        target = url.resolvingSymlinksInPath()
        temporary = TemporaryItems.name(beside: target)
        // Nobody can have put a file or a link of that name there before.
        let path = temporary.path
        let descriptor = Disk.retrying {
            open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        }
        guard descriptor >= 0 else { throw .unwritable(path: url.path, code: errno) }
        self.descriptor = descriptor
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if !isCommitted { unlink(temporary.path) }
    }

    /// Appends bytes.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        try check(Disk.write(bytes, to: descriptor))
    }

    /// Writes bytes at a position; does not move where `write(_:)` appends.
    package func write(_ bytes: UnsafeRawBufferPointer, at position: Int) throws(FileError) {
        try check(Disk.write(bytes, to: descriptor, at: position))
    }

    /// Gives the file a size; what was not written reads as zeros.
    package func resize(to byteCount: Int) throws(FileError) {
        let result = Disk.retrying { ftruncate(descriptor, off_t(byteCount)) }
        try check(result == 0 ? 0 : errno)
    }

    /// Puts the file in its place.
    ///
    /// - Parameter isDurable: false does not wait for the disk, for files that are easily made again.
    /// - Throws: `FileError.unwritable`. Where the file could not take its place, the old one is as
    ///   it was.
    package func commit(isDurable: Bool = true) throws(FileError) {
        if isDurable { try check(Disk.flush(descriptor)) }
        close(descriptor)
        descriptor = -1
        try check(rename(temporary.path, target.path) == 0 ? 0 : errno)
        isCommitted = true
        if isDurable { try Folder.synchronize(target.deletingLastPathComponent()) }
    }

    private func check(_ code: Int32) throws(FileError) {
        if code != 0 { throw .unwritable(path: url.path, code: code) }
    }
}
