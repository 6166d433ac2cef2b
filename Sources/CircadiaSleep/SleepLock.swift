import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Keeps two nights from training the same adapter at once. The operating system drops the lock when
/// the process ends, however it ends.
public final class SleepLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock that guards `adapterDirectory`: the file `.sleep.lock` beside it.
    ///
    /// Throws `SleepError.alreadySleeping` where another process holds it, `.lockUnavailable` where
    /// the file cannot be made.
    public init(guarding adapterDirectory: URL) throws(SleepError) {
        let folder = adapterDirectory.deletingLastPathComponent()
        let path = folder.appendingPathComponent(".sleep.lock").path
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw .lockUnavailable(path: path, reason: "the folder cannot be made")
        }
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if descriptor < 0 {
            throw .lockUnavailable(path: path, reason: String(cString: strerror(errno)))
        }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            close(descriptor)
            throw .alreadySleeping(lock: path)
        }
    }

    deinit {
        close(descriptor)
    }
}
