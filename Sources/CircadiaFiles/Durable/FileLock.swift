import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A lock between processes: `flock` on a file, let go by the system when the process ends, however it ends.
package final class FileLock: Sendable {
    private let descriptor: Int32

    /// Waits for the lock.
    ///
    /// - Parameter url: the file; it is made where it is not there, but not its folder.
    /// - Throws: `FileError.cannotWrite`.
    package init(_ url: URL) throws(FileError) {
        descriptor = try Self.open(url)
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                throw .cannotWrite(path: url.path, reason: SystemReason.last)
            }
        }
    }

    /// Takes the lock where it is free; nil where another process holds it.
    ///
    /// - Throws: as the one that waits.
    package init?(ifFree url: URL) throws(FileError) {
        descriptor = try Self.open(url)
        guard flock(descriptor, LOCK_EX | LOCK_NB) != 0 else { return }
        if errno == EWOULDBLOCK { return nil }
        throw .cannotWrite(path: url.path, reason: SystemReason.last)
    }

    private static func open(_ url: URL) throws(FileError) -> Int32 {
        #if canImport(Glibc)
            let descriptor = Glibc.open(url.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        #else
            let descriptor = Darwin.open(url.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        #endif
        guard descriptor >= 0 else { throw .cannotWrite(path: url.path, reason: SystemReason.last) }
        return descriptor
    }

    /// Lets the lock go, which the end of this value does too.
    package func unlock() { flock(descriptor, LOCK_UN) }

    deinit { close(descriptor) }
}
