import Foundation

/// Why an adapter's folder cannot be the place of a night.
package enum NightPlaceError: Error, Sendable, Equatable {
    /// A file is where the folder should be.
    case isFile(path: String)
    /// The folder is a kept version, which nothing changes; `version` is its name.
    case isKeptVersion(path: String, version: String)
}

extension NightPlaceError: CustomStringConvertible {
    /// The message shown to people.
    package var description: String {
        switch self {
        case .isFile(let path):
            "\(path): this is a file, and the adapter's folder cannot be made in its place"
        case .isKeptVersion(let path, _):
            "\(path): this is a kept version, which nothing changes"
        }
    }
}

extension NightPlaceError: LocalizedError {
    /// The same text as `description`.
    package var errorDescription: String? { description }
}
