import CircadiaFiles
import Foundation

/// Writes results so that a reader finds whole lines only, in files that only their owner reads.
enum ResultFile {
    /// Appends whole lines; `header` goes before them where the file is new or empty.
    static func append(
        _ text: String, header: String = "", to url: URL
    ) throws(EvaluationError) {
        do throws(FileError) {
            try LineFile(url).append(Array(text.utf8), header: Array(header.utf8))
        } catch {
            throw failure(error, url)
        }
    }

    /// Puts a text in the place of a file.
    static func replace(_ text: String, at url: URL) throws(EvaluationError) {
        do throws(FileError) {
            try Folder.create(url.deletingLastPathComponent())
            try DurableFile.replace(url, with: text)
        } catch {
            throw failure(error, url)
        }
    }

    private static func failure(_ error: FileError, _ url: URL) -> EvaluationError {
        let reason =
            switch error {
            case .folderNotMade: "its folder cannot be made"
            case .unwritable(_, let code), .unreadable(_, let code): SystemError.text(code)
            default: error.description
            }
        return .resultNotWritten(path: url.path, reason: reason)
    }
}
