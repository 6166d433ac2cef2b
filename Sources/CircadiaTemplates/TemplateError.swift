/// Errors of reading a chat template.
///
/// Rendering cannot fail. Paths are those of the opened files. Byte offsets count from the start of
/// the file.
package enum TemplateError: Error, Sendable, Equatable {
    /// A file is missing or cannot be read.
    case unreadable(path: String, reason: String)
    /// The file is not the expected JSON, at this byte.
    case malformed(path: String, byte: Int, expected: String, found: String)
    /// There is no chat template, and the special tokens do not identify one.
    case missingTemplate(directory: String)
    /// This project cannot render the chat template; `beginning` quotes its start.
    case unknownTemplate(path: String, beginning: String)
    /// The template writes a control token that the tokenizer does not have.
    case missingControlToken(directory: String, template: String, token: String)
}
