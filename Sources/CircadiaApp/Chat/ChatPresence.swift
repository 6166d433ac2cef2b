import CircadiaFiles
import Foundation

/// Tells a night about a chat: the chat holds a shared lock on `.chat.lock` next to its log, and
/// the file's modification time is the time of the last message.
package final class ChatPresence: Sendable {
    private let lock: FileLock

    /// Seconds after a message during which a chat counts as in use.
    package static let quietSeconds = 120.0

    private static func url(of log: URL) -> URL {
        log.deletingLastPathComponent().appendingPathComponent(".chat.lock")
    }

    /// Registers a chat of the log; nil if the lock's file cannot be made. A chat works without it.
    package init?(log: URL) {
        guard let lock = try? FileLock(Self.url(of: log), kind: .shared) else { return nil }
        self.lock = lock
        touch()
    }

    /// Records that the chat is in use now.
    package func touch() { lock.touch() }

    /// Whether a chat of the log is open and was used in the last `seconds` seconds.
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
