extension TemplateError: CustomStringConvertible {
    /// One sentence that says what failed, where, and what to do about it.
    package var description: String {
        switch self {
        case .unreadable(let path, let reason):
            return "Cannot read \(path): \(reason)."
        case .malformed(let path, let byte, let expected, let found):
            return "\(path) is broken at byte \(byte): expected \(expected), found \(found). "
                + "Fetch the file again."
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
