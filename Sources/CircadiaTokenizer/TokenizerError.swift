/// Errors of reading a tokenizer.
///
/// Encoding and decoding cannot fail. Paths are those of the opened files. Byte offsets count from
/// the start of the file.
package enum TokenizerError: Error, Sendable, Equatable {
    /// A file is missing or cannot be read.
    case unreadable(path: String, reason: String)
    /// The file is not the expected JSON, at this byte.
    case malformed(path: String, byte: Int, expected: String, found: String)
    /// A field that the tokenizer needs is absent.
    case missingField(path: String, field: String)
    /// This project does not implement a component; `field` names its place in the file.
    case unsupported(path: String, field: String, found: String, supported: String)
    /// A token id is negative, too large or used twice.
    case invalidTokenID(path: String, token: String, id: Int, reason: String)
    /// A merge names a token that the vocabulary lacks; `index` counts from 0.
    case unknownMergeToken(path: String, byte: Int, index: Int, token: String)
}
