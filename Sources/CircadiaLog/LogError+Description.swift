import Foundation

extension LogError: CustomStringConvertible {
    /// The message shown to people.
    package var description: String {
        switch self {
        case .logMissing(let path):
            "\(path): there is no chat log here."
        case .logEmpty(let path, 0):
            "\(path): the chat log is empty."
        case .logEmpty(let path, let skippedLines):
            "\(path): no line of this chat log can be read (\(skippedLines) skipped). Expected "
                + "one JSON object a line with “messages” or “conversations”."
        case .exchangeEmpty(let id):
            "exchange \(id): it has no messages, so there is nothing to log."
        case .importUnknown(let path, let expected):
            "\(path): nothing in this file can be imported. Expected \(expected)."
        }
    }
}

extension LogError: LocalizedError {
    /// The same text as `description`.
    package var errorDescription: String? { description }
}
