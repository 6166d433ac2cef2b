import Foundation

/// A file mapped read-only into memory; unmapped with the object.
///
/// `@unchecked Sendable`: the bytes do not change as long as nobody truncates the file in place, and this
/// project never does: it writes new files and renames them.
package final class MappedFile: @unchecked Sendable {
    /// Where the file is.
    package let url: URL
    /// The whole file. The memory goes with this object, so whoever does not store the object
    /// uses `withBytes` instead.
    package let bytes: UnsafeRawBufferPointer

    /// Maps a file.
    ///
    /// - Throws: `FileError.unreadable` or `.notRegular`.
    package init(_ url: URL) throws(FileError) {
        self.url = url
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .unreadable(path: url.path, code: errno)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw .unreadable(path: url.path, code: errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            if status.st_mode & S_IFMT == S_IFDIR {
                throw .unreadable(path: url.path, code: EISDIR)
            }
            throw .notRegular(path: url.path)
        }
        let count = Int(status.st_size)
        if count == 0 {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let memory = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let memory, memory != MAP_FAILED else {
            throw .unreadable(path: url.path, code: errno)
        }
        bytes = UnsafeRawBufferPointer(start: memory, count: count)
    }

    /// Lets the system take back the memory of a part that is not read again soon; whoever reads it
    /// all the same gets the same bytes, from the file.
    package static func release(_ part: UnsafeRawBufferPointer) {
        guard let base = part.baseAddress else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let start = (Int(bitPattern: base) + page - 1) / page * page
        let end = (Int(bitPattern: base) + part.count) / page * page
        guard start < end else { return }
        madvise(UnsafeMutableRawPointer(bitPattern: start), end - start, MADV_DONTNEED)
    }

    /// Gives the whole file to `body` and keeps it mapped meanwhile.
    package func withBytes<Result, Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(bytes)
    }

    deinit {
        if let base = bytes.baseAddress {
            munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
        }
    }
}
