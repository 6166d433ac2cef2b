import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Lets a night know of a chat: a chat holds a shared lock on `.chat.lock` beside its log, and the file's
/// time is that of its last message.
package final class ChatPresence: Sendable {
    private let descriptor: Int32

    /// Seconds after a message in which a chat counts as used.
    package static let quietSeconds = 120.0

    private static func url(of log: URL) -> URL {
        log.deletingLastPathComponent().appendingPathComponent(".chat.lock")
    }

    /// Enters the chat; nil where the lock's file cannot be made, which harms no chat.
    package init?(log: URL) {
        descriptor = open(Self.url(of: log).path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_SH) == 0 else {
            close(descriptor)
            return nil
        }
        touch()
    }

    deinit { close(descriptor) }

    /// Says that somebody is there.
    package func touch() { futimens(descriptor, nil) }

    /// Whether a chat of the log is open and was used in the last `seconds`.
    package static func isActive(log: URL, within seconds: Double = quietSeconds) -> Bool {
        let descriptor = open(url(of: log).path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return false }
        let attributes = try? FileManager.default.attributesOfItem(atPath: url(of: log).path)
        guard let used = attributes?[.modificationDate] as? Date else { return false }
        return Date().timeIntervalSince(used) < seconds
    }
}
