import CircadiaFiles
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension ChatLog {
    /// Makes the log and its folder where they are missing and makes sure that both can be
    /// written to, so that a chat finds out before anything is said.
    ///
    /// - Throws: `folderNotMade`, `unwritable`.
    package func checkWritable() throws {
        try Folder.create(url.deletingLastPathComponent())
        _ = try OpenFile(url, flags: O_RDWR | O_APPEND | O_CREAT, failure: .write)
    }
}
