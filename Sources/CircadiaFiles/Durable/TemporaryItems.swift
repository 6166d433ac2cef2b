import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Names of files and folders that are being built beside their target, and what becomes of those
/// that a killed process left behind.
///
/// A name is `.circadia-tmp-<target>-<process>-<random>`; nothing of that name is ever the only copy
/// of anything.
package enum TemporaryItems {
    /// What every temporary name starts with.
    package static let prefix = ".circadia-tmp-"

    /// What temporary names of 0.1.0's logs start with: `.circadia-new-<target>-<process>`.
    private static let formerPrefix = ".circadia-new-"

    /// A fresh hidden name in the folder of `url`.
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
        let folder = url.deletingLastPathComponent()
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { name in
            guard isStray(name, of: url.lastPathComponent, signal: signal) else { return false }
            let item = folder.appendingPathComponent(name)
            return (try? FileManager.default.removeItem(at: item)) != nil
        }
    }

    /// Whether `name` is a temporary name of `target` whose process certainly no longer runs.
    ///
    /// A process of another user cannot be signalled (EPERM) but runs, so only ESRCH counts.
    ///
    /// - Parameters:
    ///   - name: a name in the target's folder.
    ///   - target: the name of the file or folder that was being built.
    ///   - signal: sends a process the empty signal; gives 0 or the error number.
    /// - Returns: whether it can be deleted.
    package static func isStray(
        _ name: String, of target: String, signal: (pid_t) -> Int32
    ) -> Bool {
        guard let process = process(in: name, of: target), process != getpid() else {
            return false
        }
        return signal(process) == ESRCH
    }

    private static func process(in name: String, of target: String) -> pid_t? {
        let text: Substring
        if name.hasPrefix("\(prefix)\(target)-") {
            let parts = name.dropFirst(prefix.count + target.count + 1)
                .split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            text = parts[0]
        } else if name.hasPrefix("\(formerPrefix)\(target)-") {
            text = name.dropFirst(formerPrefix.count + target.count + 1)
        } else {
            return nil
        }
        // 0 and negative numbers would ask for whole groups of processes.
        return pid_t(text).flatMap { $0 > 0 ? $0 : nil }
    }

    private static func signal(_ process: pid_t) -> Int32 { kill(process, 0) == 0 ? 0 : errno }
}
