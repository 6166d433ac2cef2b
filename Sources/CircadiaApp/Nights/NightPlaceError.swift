import Foundation

/// Why a night cannot write an adapter to a folder.
package enum NightPlaceError: Error, Sendable, Equatable {
    /// A file is where the folder should be.
    case isFile(path: String)
    /// The folder is a kept version, which no night may change; `version` is its name.
    case isKeptVersion(path: String, version: String)
}

extension NightPlaceError: CustomStringConvertible {
    /// The message shown to people.
    package var description: String {
        switch self {
        case .isFile(let path):
            "\(path): this is a file, so it cannot be the adapter's folder"
        case .isKeptVersion(let path, _):
            "\(path): this is a kept version, which no night may change"
        }
    }
}

extension NightPlaceError: LocalizedError {
    /// The same text as `description`.
    package var errorDescription: String? { description }
}
