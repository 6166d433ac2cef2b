import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A log of limited size: a file that is too large is renamed, and only a few old files are kept.
package struct RotatingLog {
    /// The file of the log.
    package let url: URL
    /// The size in bytes above which the file is renamed when it is next opened.
    package let limit: Int
    /// The number of old files to keep; `<name>.1` is the latest.
    package let kept: Int

    /// A log at `url`.
    package init(url: URL, limit: Int = 1_000_000, kept: Int = 3) {
        self.url = url
        self.limit = limit
        self.kept = kept
    }

    /// Opens the log for appending, readable by its owner only.
    ///
    /// - Throws: `ScheduleError.logNotOpened`.
    package func openForAppending() throws -> FileHandle {
        try? FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        var status = stat()
        if stat(url.path, &status) == 0, Int(status.st_size) > limit {
            for number in stride(from: kept - 1, through: 1, by: -1) {
                rename("\(url.path).\(number)", "\(url.path).\(number + 1)")
            }
            rename(url.path, url.path + ".1")
        }
        let descriptor = open(
            url.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ScheduleError.logNotOpened(
                path: url.path, reason: String(cString: strerror(errno)))
        }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }
}
