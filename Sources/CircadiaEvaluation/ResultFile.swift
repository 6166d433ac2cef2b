import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Writes results so that a reader finds whole lines only, in files that only their owner reads.
enum ResultFile {
    /// Appends `text` in one write; `header` goes before it where the file is new or empty.
    static func append(
        _ text: String, header: String = "", to url: URL
    ) throws(EvaluationError) {
        try makeFolder(of: url)
        let descriptor = open(url.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(url) }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX) == 0 else { throw failure(url) }
        let size = lseek(descriptor, 0, SEEK_END)
        let bytes = Array(((size == 0 ? header : "") + text).utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes {
                write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 {
                let error = failure(url)
                // A half row would spoil the table for good.
                _ = ftruncate(descriptor, size)
                throw error
            }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw failure(url) }
    }

    /// Replaces the file by `text`, atomically.
    static func replace(_ text: String, at url: URL) throws(EvaluationError) {
        try makeFolder(of: url)
        do {
            try Data(text.utf8).write(to: url, options: .atomic)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600], ofItemAtPath: url.path)
        } catch {
            throw .resultNotWritten(path: url.path, reason: "writing it failed")
        }
    }

    private static func makeFolder(of url: URL) throws(EvaluationError) {
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        } catch {
            throw .resultNotWritten(path: url.path, reason: "its folder cannot be made")
        }
    }

    private static func failure(_ url: URL) -> EvaluationError {
        .resultNotWritten(path: url.path, reason: String(cString: strerror(errno)))
    }
}
