import Foundation

/// A store's folder, locked against other programs and threads that lock it too.
struct StoreLock {
    private let descriptor: Int32

    /// Waits for the lock, or gives up where another holds it and `waits` is false; nil where there is no
    /// lock to be had.
    init?(_ directory: URL, waits: Bool = true) {
        descriptor = open(directory.path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { return nil }
        if flock(descriptor, waits ? LOCK_EX : LOCK_EX | LOCK_NB) == 0 { return }
        close(descriptor)
        return nil
    }

    func unlock() { close(descriptor) }
}
