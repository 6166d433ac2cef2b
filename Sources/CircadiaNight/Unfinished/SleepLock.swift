import CircadiaFiles
import Foundation

/// Keeps two nights from training the same adapter at once. The operating system releases the lock
/// when the process ends, even if it is killed.
package final class SleepLock: Sendable {
    private let lock: FileLock

    /// Takes the lock that guards `adapterDirectory`: the file `.sleep.lock` in its parent folder.
    ///
    /// - Throws: `SleepError.alreadySleeping` if another process holds it, `.lockUnavailable` if
    ///   the file cannot be created.
    package init(guarding adapterDirectory: URL) throws(SleepError) {
        let folder = adapterDirectory.deletingLastPathComponent()
        let url = folder.appendingPathComponent(".sleep.lock")
        do {
            try Folder.create(folder)
        } catch {
            throw .lockUnavailable(path: url.path, reason: "the folder cannot be made")
        }
        let free: FileLock?
        do { free = try FileLock(ifFree: url) } catch {
            guard case .unwritable(_, let code) = error else {
                throw .lockUnavailable(path: url.path, reason: error.description)
            }
            throw .lockUnavailable(path: url.path, reason: SystemError.text(code))
        }
        guard let free else { throw .alreadySleeping(lock: url.path) }
        lock = free
    }
}
