import Foundation

/// A new folder for one test. It is removed with the last reference to it.
package final class TemporaryFolder: Sendable {
    /// The folder.
    package let url: URL

    /// Creates an empty folder.
    package init() throws {
        url = FileManager.default.temporaryDirectory
            .appendingPathComponent("circadia-test-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        // A test may have removed its permissions.
        _ = chmod(url.path, 0o700)
        try? FileManager.default.removeItem(at: url)
    }

    /// Calls `body` with the URL of a new folder and removes the folder afterwards.
    package static func with<T>(_ body: (URL) throws -> T) throws -> T {
        let folder = try TemporaryFolder()
        return try withExtendedLifetime(folder) { try body(folder.url) }
    }

    /// The URL of a file in the folder.
    package func file(_ name: String) -> URL { url.appendingPathComponent(name) }

    /// Writes a file and returns its URL.
    @discardableResult
    package func write(_ name: String, _ bytes: [UInt8]) throws -> URL {
        try Data(bytes).write(to: file(name))
        return file(name)
    }

    /// Writes a text file and returns its URL.
    @discardableResult
    package func write(_ name: String, text: String) throws -> URL {
        try write(name, Array(text.utf8))
    }

    /// All names in the folder, including hidden ones.
    package var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted()
    }
}

/// The permission bits of a file or folder.
package func permissions(_ url: URL) -> mode_t {
    var status = stat()
    return stat(url.path, &status) == 0 ? status.st_mode & 0o777 : 0
}

/// The message of the error that `body` throws, without the folder's path.
package func message<Result>(in folder: TemporaryFolder, _ body: () throws -> Result) -> String {
    do {
        _ = try body()
        return "no error"
    } catch {
        return "\(error)".replacingOccurrences(of: folder.url.path + "/", with: "")
            .replacingOccurrences(of: folder.url.path, with: ".")
    }
}

/// The little-endian bytes of values.
package func littleEndian<Value: BitwiseCopyable>(_ values: [Value]) -> [UInt8] {
    values.withUnsafeBytes { Array($0) }
}
