extension TokenizerError: CustomStringConvertible {
    /// One sentence that says what failed, where, and what to do about it.
    public var description: String {
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
        case .missingTemplate(let directory):
            return "No chat template in \(directory): neither chat_template.jinja nor "
                + "\"chat_template\" in tokenizer_config.json, and the special tokens are not "
                + "those of Llama 3. Use an instruction-tuned model."
        case .unknownTemplate(let path, let beginning):
            return "The chat template in \(path) is not one of the known ones (ChatML, Llama 3). "
                + "It begins: \(beginning.quotedForMessage)"
        case .missingControlToken(let directory, let template, let token):
            return "The \(template) template needs the token \(token.quotedForMessage), which the "
                + "tokenizer in \(directory) does not have."
        }
    }
}

extension String {
    /// The text in double quotes, line breaks and other control characters escaped.
    var quotedForMessage: String {
        var quoted = "\""
        for scalar in unicodeScalars {
            switch scalar {
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let hex = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
