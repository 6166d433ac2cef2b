/// What can go wrong with files and folders.
///
/// Payloads hold paths and system errors, never what a file says.
package enum FileError: Error, Sendable, Equatable {
    /// A file that has to be there is not.
    case missingFile(path: String, purpose: String)
    /// A file is no JSON; `offset` is the byte where reading stopped.
    case malformedJSON(path: String, offset: Int, problem: JSONProblem)
    /// A folder that is to be replaced holds a folder, so it is hardly this program's own.
    case foreignFolder(path: String, name: String)
    /// A file cannot be read; `code` is the system's error number.
    case unreadable(path: String, code: Int32)
    /// A file cannot be written; `code` is the system's error number.
    case unwritable(path: String, code: Int32)
    /// A file that is to be read as a whole is a pipe, a device or a socket.
    case notRegular(path: String)
    /// A record cannot be put into JSON for a file.
    case notEncodable(path: String)
    /// A folder cannot be made; `code` is the system's error number.
    case folderNotMade(path: String, code: Int32)
}
