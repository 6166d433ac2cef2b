/// What can go wrong while a chat template is read.
///
/// Rendering itself cannot fail. Paths are the files as they were opened; byte offsets count from the
/// start of the file.
package enum TemplateError: Error, Sendable, Equatable {
    /// A file is missing or cannot be read.
    case unreadable(path: String, reason: String)
    /// The file is not the JSON it should be, at one byte.
    case malformed(path: String, byte: Int, expected: String, found: String)
    /// No chat template was found, and the special tokens do not tell which one to use.
    case missingTemplate(directory: String)
    /// The chat template is none of those this project renders.
    case unknownTemplate(path: String, beginning: String)
    /// The template writes a control token that the tokenizer does not have.
    case missingControlToken(directory: String, template: String, token: String)
}
