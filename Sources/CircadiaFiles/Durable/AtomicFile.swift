import Foundation

/// Writes small files that must survive a crash of the machine.
package enum DurableFile {
    /// Replaces a file by `bytes`: under another name, synced, then renamed. For its owner only.
    ///
    /// - Throws: `FileError.cannotWrite`; the file is as it was then.
    package static func write(_ bytes: [UInt8], to url: URL) throws(FileError) {
        try AtomicFile.write(bytes, to: url, mode: 0o600)
    }
}

/// A file that appears whole or not at all: written under a temporary name beside its target,
/// synced, then renamed.
/// See `TemporaryItems` for the name.
package final class AtomicFile {
    private let target: URL
    private let temporary: URL
    private var descriptor: Int32
    private var isCommitted = false

    /// Creates the temporary file with `mode` (the umask still applies).
    package init(target: URL, mode: mode_t = 0o644) throws(FileError) {
        self.target = target
        temporary = TemporaryItems.name(beside: target)
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
    package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        try AtomicFile.writeAll(bytes, to: descriptor, path: target.path)
    }

    /// Writes bytes at a position; does not move where `write(_:)` appends.
    package func write(_ bytes: UnsafeRawBufferPointer, at position: Int) throws(FileError) {
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, base + done, min(bytes.count - done, 1 << 30), off_t(position + done))
            if count < 0 {
                if errno == EINTR { continue }
                throw .cannotWrite(path: target.path, reason: SystemReason.last)
            }
            done += count
        }
    }

    /// Syncs the contents, gives the file its name and syncs the directory.
    ///
    /// - Parameter isDurable: false leaves out the syncing, for files that are made again easily.
    /// - Throws: `FileError.cannotWrite`; the target is as it was then.
    package func commit(isDurable: Bool = true) throws(FileError) {
        if isDurable, fsync(descriptor) != 0 {
            throw .cannotWrite(path: target.path, reason: SystemReason.last)
        }
        close(descriptor)
        descriptor = -1
        guard rename(temporary.path, target.path) == 0 else {
            throw .cannotWrite(path: target.path, reason: SystemReason.last)
        }
        isCommitted = true
        if isDurable { try Self.syncDirectory(target.deletingLastPathComponent()) }
    }

    /// Writes bytes to a file atomically.
    package static func write(
        _ bytes: [UInt8], to url: URL, mode: mode_t = 0o644
    ) throws(FileError) {
        let file = try AtomicFile(target: url, mode: mode)
        try bytes.withUnsafeBytesTyped { (bytes) throws(FileError) in try file.write(bytes) }
        try file.commit()
    }

    /// Writes a text file atomically.
    package static func write(
        _ text: String, to url: URL, mode: mode_t = 0o644
    ) throws(FileError) {
        try write(Array(text.utf8), to: url, mode: mode)
    }

    /// Writes every byte, going on after interruptions and short writes.
    package static func writeAll(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String
    ) throws(FileError) {
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
    package static func syncDirectory(_ url: URL) throws(FileError) {
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
