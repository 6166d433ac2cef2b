import Foundation

/// Names of files and directories that are being built beside their target, and what becomes of
/// those that a killed process left behind.
///
/// A name is `.circadia-tmp-<target>-<process>-<random>`; nothing of that name is ever the only copy
/// of anything.
package enum TemporaryItems {
    /// What every temporary name starts with.
    package static let prefix = ".circadia-tmp-"

    /// A fresh hidden name in the directory of `url`.
    package static func name(beside url: URL) -> URL {
        let random = String(UInt32.random(in: .min ... .max), radix: 36)
        return url.deletingLastPathComponent().appendingPathComponent(
            "\(prefix)\(url.lastPathComponent)-\(getpid())-\(random)")
    }

    /// Deletes what processes that no longer run left beside `url` while they built it.
    ///
    /// - Returns: the names that were deleted.
    @discardableResult
    package static func removeStrays(beside url: URL) -> [String] {
        let directory = url.deletingLastPathComponent()
        let start = "\(prefix)\(url.lastPathComponent)-"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        return names.filter { name in
            let parts = name.dropFirst(start.count).split(separator: "-")
            guard name.hasPrefix(start), parts.count == 2, let process = Int32(parts[0]),
                process != getpid(), kill(process, 0) != 0, errno == ESRCH
            else { return false }
            let item = directory.appendingPathComponent(name)
            return (try? FileManager.default.removeItem(at: item)) != nil
        }
    }
}
