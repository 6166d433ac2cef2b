import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The system calls that put files on the disk. Every durable write of the project ends here.
enum Disk {
    /// Returns when what was written through `descriptor`, a file's or a folder's, would survive a
    /// power cut.
    ///
    /// - Returns: 0, or the system's error number. File systems and special files that cannot be
    ///   flushed give no error: they promise nothing that this could check.
    static func flush(_ descriptor: Int32) -> Int32 {
        #if canImport(Darwin)
            // There, fsync leaves the bytes in the drive's own cache.
            if fcntl(descriptor, F_FULLFSYNC) == 0 { return 0 }
        #endif
        if retrying({ fsync(descriptor) }) == 0 { return 0 }
        return [EINVAL, ENOTSUP].contains(errno) ? 0 : errno
    }

    /// Writes every byte, from `position` on or, without one, where the descriptor stands.
    ///
    /// - Returns: 0, or the system's error number.
    static func write(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at position: Int? = nil
    ) -> Int32 {
        guard let base = bytes.baseAddress else { return 0 }
        var done = 0
        while done < bytes.count {
            // Linux moves at most 2 GiB a call, so larger requests come back short anyway.
            let size = min(bytes.count - done, 1 << 30)
            let count = retrying {
                if let position {
                    return pwrite(descriptor, base + done, size, off_t(position + done))
                }
                return Foundation.write(descriptor, base + done, size)
            }
            if count < 0 { return errno }
            done += count
        }
        return 0
    }

    /// Repeats a call that a signal interrupted.
    static func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
        while true {
            let result = call()
            if result != -1 || errno != EINTR { return result }
        }
    }
}
