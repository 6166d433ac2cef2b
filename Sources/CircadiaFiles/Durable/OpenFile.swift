import Foundation

/// An open file that closes itself, with the calls that durable files are built from.
package final class OpenFile {
    /// How a failed call is to be reported.
    package enum Purpose { case read, write }

    /// The file's path.
    package let path: String
    /// The open file descriptor; closed with this object.
    package let descriptor: Int32
    private let purpose: Purpose

    /// Opens `url`; a file that `flags` create gets mode 0600.
    package init(_ url: URL, flags: Int32, failure: Purpose) throws(FileError) {
        let path = url.path
        let descriptor = Disk.retrying { open(path, flags | O_CLOEXEC, 0o600) }
        guard descriptor >= 0 else { throw Self.error(path, errno, failure) }
        self.path = path
        self.descriptor = descriptor
        purpose = failure
        // Reading a folder fails only at the first read; say so now.
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw Self.error(path, EISDIR, failure)
        }
    }

    deinit { close(descriptor) }

    /// Bytes in the file.
    package func size() throws(FileError) -> Int { Int(try status().st_size) }

    /// Whether the descriptor is still what the path names.
    package func isStillAtPath() throws(FileError) -> Bool {
        var there = stat()
        guard stat(path, &there) == 0 else { return false }
        let here = try status()
        return here.st_ino == there.st_ino && here.st_dev == there.st_dev
    }

    /// Which file this is; one that is put in its place under the same name is another.
    package func identity() throws(FileError) -> FileIdentity {
        let status = try status()
        return FileIdentity(
            device: UInt64(truncatingIfNeeded: status.st_dev),
            inode: UInt64(truncatingIfNeeded: status.st_ino))
    }

    /// Takes the advisory lock, shared or exclusive; waits for it. Closing releases it.
    package func lock(exclusive: Bool) throws(FileError) {
        try check(Disk.retrying { flock(descriptor, exclusive ? LOCK_EX : LOCK_SH) })
    }

    /// Releases the advisory lock.
    package func unlock() { _ = flock(descriptor, LOCK_UN) }

    /// Up to `count` bytes from `offset`; fewer only at the end of the file.
    package func bytes(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = result.withUnsafeMutableBytes { buffer in
                Disk.retrying {
                    pread(
                        descriptor, buffer.baseAddress.map { $0 + filled }, count - filled,
                        off_t(offset + filled))
                }
            }
            guard got >= 0 else { throw failure() }
            if got == 0 { break }
            filled += got
        }
        result.removeSubrange(filled...)
        return result
    }

    /// Calls `body` with the file's bytes from its start, piece after piece.
    package func forEachPiece(
        byteCount: Int = 1 << 20, _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(FileError) {
        var offset = 0
        while true {
            let piece = try bytes(at: offset, count: byteCount)
            if piece.isEmpty { return }
            piece.withUnsafeBytes { body($0) }
            offset += piece.count
        }
    }

    /// Writes `bytes` at the end with one call. If not all of them fit, the file is cut back to
    /// what it was and an error is thrown, so that no half line stays.
    package func appendWhole(_ bytes: [UInt8]) throws(FileError) {
        let sizeBefore = try size()
        let written = bytes.withUnsafeBytes { buffer in
            Disk.retrying { write(descriptor, buffer.baseAddress, buffer.count) }
        }
        guard written == bytes.count else {
            let code = written < 0 ? errno : ENOSPC
            if written > 0 { _ = ftruncate(descriptor, off_t(sizeBefore)) }
            throw Self.error(path, code, purpose)
        }
    }

    /// Cuts the file to `byteCount`.
    package func truncate(to byteCount: Int) throws(FileError) {
        try check(Disk.retrying { ftruncate(descriptor, off_t(byteCount)) })
    }

    /// Returns when the file's contents are on the disk.
    package func synchronize() throws(FileError) {
        let code = Disk.flush(descriptor)
        if code != 0 { throw Self.error(path, code, purpose) }
    }

    private func status() throws(FileError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure() }
        return status
    }

    private func check(_ result: Int32) throws(FileError) {
        if result != 0 { throw failure() }
    }

    private func failure() -> FileError { Self.error(path, errno, purpose) }

    private static func error(_ path: String, _ code: Int32, _ purpose: Purpose) -> FileError {
        switch purpose {
        case .read: .unreadable(path: path, code: code)
        case .write: .unwritable(path: path, code: code)
        }
    }
}

/// Which file a name stood for: a file that is put in its place is another one.
package struct FileIdentity: Sendable, Hashable, Codable {
    /// The device that holds the file.
    package let device: UInt64
    /// Its number on the device.
    package let inode: UInt64
}
