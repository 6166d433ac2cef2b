import Foundation

extension ForgetError: CustomStringConvertible {
    /// The message shown to people.
    package var description: String {
        switch self {
        case .journalBroken(let path):
            "\(path): this record of forgotten exchanges cannot be read."
        }
    }
}

extension ForgetError: LocalizedError {
    /// The same text as `description`.
    package var errorDescription: String? { description }
}
