import CircadiaFiles
import Foundation

/// A JSON file of a model directory, mapped into memory while it is read.
struct TokenizerFile {
    let path: String
    private let data: Data

    init(_ url: URL) throws(TokenizerError) {
        path = url.path
        do {
            data = try Data(contentsOf: url, options: .mappedIfSafe)
        } catch {
            let exists = FileManager.default.fileExists(atPath: url.path)
            throw .unreadable(
                path: url.path, reason: exists ? "it cannot be opened" : "there is no such file")
        }
    }

    /// Calls `body` with a reader at the start. Errors at a byte name the file.
    func read<Result>(
        _ body: (inout JSONReader) throws -> Result
    ) throws(TokenizerError) -> Result {
        do {
            return try data.withUnsafeBytes { raw in
                var reader = JSONReader(raw.bindMemory(to: UInt8.self))
                return try body(&reader)
            }
        } catch let failure as JSONReader.Failure {
            throw .malformed(
                path: path, byte: failure.byte, expected: failure.expected, found: failure.found)
        } catch let error as TokenizerError {
            throw error
        } catch {
            throw .unreadable(path: path, reason: "\(error)")
        }
    }
}
