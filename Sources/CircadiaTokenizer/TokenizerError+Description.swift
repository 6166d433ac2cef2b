extension TokenizerError: CustomStringConvertible {
    /// One sentence that says what failed, where, and what to do about it.
    package var description: String {
        switch self {
        case .unreadable(let path, let reason):
            return "Cannot read \(path): \(reason)."
        case .malformed(let path, let byte, let expected, let found):
            return "\(path) is broken at byte \(byte): expected \(expected), found \(found). "
                + "Fetch the file again."
        case .missingField(let path, let field):
            return "\(path) has no \"\(field)\". Fetch the file again."
        case .unsupported(let path, let field, let found, let supported):
            return "\(path): \(field) is \(found), which is not supported. "
                + "Supported: \(supported)."
        case .invalidTokenID(let path, let token, let id, let reason):
            return "\(path): token \(token.quotedForMessage) has id \(id), which \(reason)."
        case .unknownMergeToken(let path, let byte, let index, let token):
            return "\(path): merge \(index) at byte \(byte) needs the token "
                + "\(token.quotedForMessage), which is not in the vocabulary."
        }
    }
}
