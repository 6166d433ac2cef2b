import Foundation

/// A file that appears whole or not at all: written under a temporary name beside its target,
/// synced, then renamed.
///
/// Temporary names start with `.circadia-tmp-` and are safe to delete when no program runs.
final class AtomicFile {
    /// What every temporary file and directory of this project starts with.
    static let temporaryPrefix = ".circadia-tmp-"

    private let target: URL
    private let temporary: URL
    private var descriptor: Int32
    private var isCommitted = false

    /// Creates the temporary file with `mode` (the umask still applies).
    init(target: URL, mode: mode_t = 0o644) throws(FormatError) {
        self.target = target
        temporary = Self.temporaryName(beside: target)
        descriptor = open(temporary.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw .cannotWrite(path: target.path, reason: SystemReason.last)
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if !isCommitted { unlink(temporary.path) }
    }

    /// Appends bytes.
    func write(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
        try AtomicFile.writeAll(bytes, to: descriptor, path: target.path)
    }

    /// Syncs the contents, gives the file its name and syncs the directory.
    func commit() throws(FormatError) {
        guard fsync(descriptor) == 0 else {
            throw .cannotWrite(path: target.path, reason: SystemReason.last)
        }
        close(descriptor)
        descriptor = -1
        guard rename(temporary.path, target.path) == 0 else {
            throw .cannotWrite(path: target.path, reason: SystemReason.last)
        }
        isCommitted = true
        try Self.syncDirectory(target.deletingLastPathComponent())
    }

    /// Writes a text file atomically.
    static func write(
        _ text: String, to url: URL, mode: mode_t = 0o644
    ) throws(FormatError) {
        let file = try AtomicFile(target: url, mode: mode)
        let bytes = Array(text.utf8)
        var failure: FormatError?
        bytes.withUnsafeBytes { buffer in
            do throws(FormatError) { try file.write(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
        try file.commit()
    }

    /// A fresh hidden name in the directory of `url` that tells the process it belongs to.
    static func temporaryName(beside url: URL) -> URL {
        let random = String(UInt32.random(in: .min ... .max), radix: 36)
        return url.deletingLastPathComponent().appendingPathComponent(
            "\(temporaryPrefix)\(url.lastPathComponent)-\(getpid())-\(random)")
    }

    /// Writes every byte, going on after interruptions and short writes.
    static func writeAll(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String
    ) throws(FormatError) {
        guard var position = bytes.baseAddress else { return }
        var remaining = bytes.count
        while remaining > 0 {
            // Linux moves at most 2 GiB a call, so larger requests come back short anyway.
            let written = Foundation.write(descriptor, position, min(remaining, 1 << 30))
            if written < 0 {
                if errno == EINTR { continue }
                throw .cannotWrite(path: path, reason: SystemReason.last)
            }
            position += written
            remaining -= written
        }
    }

    /// Makes renames inside a directory durable.
    static func syncDirectory(_ url: URL) throws(FormatError) {
        let descriptor = open(url.path.isEmpty ? "." : url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .cannotWrite(path: url.path, reason: SystemReason.last)
        }
        defer { close(descriptor) }
        // Some file systems cannot sync a directory (EINVAL); they give no stronger promise.
        if fsync(descriptor) != 0, errno != EINVAL {
            throw .cannotWrite(path: url.path, reason: SystemReason.last)
        }
    }
}
