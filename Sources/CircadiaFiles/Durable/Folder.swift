import Foundation

/// Directories, with this module's errors.
package enum Folder {
    /// Creates a directory and those above it; fine where it exists.
    package static func create(_ url: URL, mode: Int = 0o755) throws(FileError) {
        do {
            try FileManager.default.createDirectory(
                at: url, withIntermediateDirectories: true,
                attributes: [.posixPermissions: mode])
        } catch {
            throw .cannotWrite(path: url.path, reason: reason(error))
        }
    }

    /// The system's words for a Foundation error.
    package static func reason(_ error: any Error) -> String {
        let cocoa = error as NSError
        if let underlying = cocoa.userInfo[NSUnderlyingErrorKey] as? NSError,
            underlying.domain == NSPOSIXErrorDomain
        {
            return SystemReason.text(Int32(underlying.code))
        }
        return cocoa.localizedDescription
    }
}
