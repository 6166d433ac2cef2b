import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Folders that survive a crash of the machine.
package enum Folder {
    /// Makes a folder and those above it; one that exists stays as it is.
    ///
    /// - Parameters:
    ///   - url: the folder.
    ///   - mode: permissions of the new folders, before the umask.
    /// - Throws: `FileError.folderNotMade` with the folder that could not be made.
    package static func create(_ url: URL, mode: mode_t = 0o700) throws(FileError) {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) {
            if isFolder.boolValue { return }
            throw .folderNotMade(path: url.path, code: ENOTDIR)
        }
        let parent = url.deletingLastPathComponent()
        if parent.path != url.path { try create(parent, mode: mode) }
        if mkdir(url.path, mode) != 0 && errno != EEXIST {
            throw .folderNotMade(path: url.path, code: errno)
        }
        try synchronize(parent)
    }

    /// Returns when the names in a folder are on the disk.
    ///
    /// - Throws: `FileError.unwritable`.
    package static func synchronize(_ url: URL) throws(FileError) {
        let path = url.path.isEmpty ? "." : url.path
        let descriptor = Disk.retrying { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        // A folder that may be written but not read cannot be flushed; that is no failure.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let code = Disk.flush(descriptor)
        if code != 0 { throw .unwritable(path: path, code: code) }
    }
}

/// What the operating system said.
package enum SystemError {
    /// The words for an error number.
    package static func text(_ code: Int32) -> String { String(cString: strerror(code)) }

    /// The error number in a Foundation error; EIO where it holds none.
    package static func code(of error: any Error) -> Int32 {
        let cocoa = error as NSError
        let underlying = cocoa.userInfo[NSUnderlyingErrorKey] as? NSError
        for error in [cocoa, underlying].compactMap({ $0 })
        where error.domain == NSPOSIXErrorDomain {
            return Int32(error.code)
        }
        return EIO
    }
}
