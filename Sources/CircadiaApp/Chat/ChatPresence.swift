import CircadiaFiles
import Foundation

/// Lets a night know of a chat: a chat holds a shared lock on `.chat.lock` beside its log, and the file's
/// time is that of its last message.
package final class ChatPresence: Sendable {
    private let lock: FileLock

    /// Seconds after a message in which a chat counts as used.
    package static let quietSeconds = 120.0

    private static func url(of log: URL) -> URL {
        log.deletingLastPathComponent().appendingPathComponent(".chat.lock")
    }

    /// Enters the chat; nil where the lock's file cannot be made, which harms no chat.
    package init?(log: URL) {
        guard let lock = try? FileLock(Self.url(of: log), kind: .shared) else { return nil }
        self.lock = lock
        touch()
    }

    /// Says that somebody is there.
    package func touch() { lock.touch() }

    /// Whether a chat of the log is open and was used in the last `seconds`.
    package static func isActive(log: URL, within seconds: Double = quietSeconds) -> Bool {
        guard FileManager.default.fileExists(atPath: url(of: log).path) else { return false }
        do {
            if try FileLock(ifFree: url(of: log)) != nil { return false }
        } catch {
            return false
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: url(of: log).path)
        guard let used = attributes?[.modificationDate] as? Date else { return false }
        return Date().timeIntervalSince(used) < seconds
    }
}
