import Foundation

extension FileError: CustomStringConvertible {
    /// The message shown to people.
    package var description: String {
        switch self {
        case .missingFile(let path, let purpose):
            "\(path): there is no such file (\(purpose))."
        case .malformedJSON(let path, let offset, let problem):
            "\(path): not valid JSON at byte \(offset): \(problem)."
        case .foreignFolder(let path, let name):
            "\(path): not a usable adapter: the directory holds another directory, \(name), so it is "
                + "not replaced; choose a directory of its own for the adapter."
        case .unreadable(let path, let code):
            "\(path): cannot be read: \(SystemError.text(code)). \(Self.readRemedy(code))"
        case .unwritable(let path, let code):
            "\(path): cannot be written: \(SystemError.text(code)). \(Self.writeRemedy(code))"
        case .notRegular(let path):
            "\(path): cannot be read: it is no regular file. Copy its contents to a file first."
        case .notEncodable(let path):
            "\(path): cannot be written: the record cannot be put into JSON."
        case .folderNotMade(let path, let code):
            "\(path): the folder cannot be made: \(SystemError.text(code)). "
                + Self.writeRemedy(code)
        }
    }

    private static func readRemedy(_ code: Int32) -> String {
        switch code {
        case EACCES, EPERM: "Give yourself the right to read it (chmod u+r)."
        case EISDIR: "Name a file, not a folder."
        case ENOENT: "Check the path."
        default: "Check the disk and the path."
        }
    }

    private static func writeRemedy(_ code: Int32) -> String {
        switch code {
        case ENOSPC, EDQUOT: "Nothing was lost; free some space and try again."
        case EACCES, EPERM, EROFS: "Make the place writable, or name another path."
        case EISDIR: "Name a file, not a folder."
        case ENOENT: "Make its folder first, or name another path."
        case ENOTDIR: "Part of the path is a file, not a folder; name another path."
        case EFBIG: "The file has reached the size that is allowed; name another path."
        default: "Check the disk and the path."
        }
    }
}

extension FileError: LocalizedError {
    /// The same text as `description`.
    package var errorDescription: String? { description }
}
