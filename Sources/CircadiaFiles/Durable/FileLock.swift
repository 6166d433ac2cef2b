import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A lock between processes, and between the threads of one: `flock` on a file or a folder.
///
/// The system drops the lock when the process ends, however it ends.
package final class FileLock: Sendable {
    /// Whether others may hold the lock too.
    package enum Kind: Sendable {
        /// Nobody else holds it.
        case exclusive
        /// Others may hold it, shared as well.
        case shared

        fileprivate var operation: Int32 { self == .exclusive ? LOCK_EX : LOCK_SH }
    }

    private let descriptor: Int32

    /// Waits for the lock.
    ///
    /// - Parameters:
    ///   - url: the file, which is made (0600) where it is missing, or a folder.
    ///   - kind: exclusive or shared.
    /// - Throws: `FileError.unwritable`.
    package init(_ url: URL, kind: Kind = .exclusive) throws(FileError) {
        let descriptor = try Self.open(url)
        self.descriptor = descriptor
        guard Disk.retrying({ flock(descriptor, kind.operation) }) == 0 else {
            throw .unwritable(path: url.path, code: errno)
        }
    }

    /// Takes the lock where it is free; nil where another holds it.
    ///
    /// - Throws: as the one that waits.
    package init?(ifFree url: URL, kind: Kind = .exclusive) throws(FileError) {
        let descriptor = try Self.open(url)
        self.descriptor = descriptor
        if Disk.retrying({ flock(descriptor, kind.operation | LOCK_NB) }) == 0 { return }
        if errno == EWOULDBLOCK { return nil }
        throw .unwritable(path: url.path, code: errno)
    }

    private static func open(_ url: URL) throws(FileError) -> Int32 {
        let path = url.path
        var descriptor = Disk.retrying {
            Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        }
        if descriptor < 0, errno == EISDIR {
            descriptor = Disk.retrying { Foundation.open(path, O_RDONLY | O_CLOEXEC) }
        }
        guard descriptor >= 0 else { throw .unwritable(path: path, code: errno) }
        return descriptor
    }

    /// Sets the time of the file to now, as a sign of life from whoever holds the lock.
    package func touch() { futimens(descriptor, nil) }

    /// Releases the lock, as the end of this object does.
    package func unlock() { flock(descriptor, LOCK_UN) }

    deinit { close(descriptor) }
}
