import CircadiaFiles

extension AddedToken {
    /// Reads the list `added_tokens`.
    static func readList(_ reader: inout JSONReader, path: String) throws -> [AddedToken] {
        var tokens: [AddedToken] = []
        if reader.null() { return tokens }
        var elements = try reader.beginArray()
        while try elements.next(&reader) {
            var token = AddedToken(id: -1, content: "")
            var id: Int?
            var members = try reader.beginObject()
            while let key = try members.nextKey(&reader) {
                switch key.text(in: reader.bytes) {
                case "id": id = try reader.integer()
                case "content": token.content = try reader.text()
                case "special": token.isSpecial = try reader.bool()
                case "single_word": token.singleWord = try reader.bool()
                case "lstrip": token.stripsLeft = try reader.bool()
                case "rstrip": token.stripsRight = try reader.bool()
                case "normalized": token.isNormalized = try reader.bool()
                default: try reader.skip()
                }
            }
            guard let id else {
                throw TokenizerError.missingField(
                    path: path, field: "added_tokens[\(tokens.count)].id")
            }
            token.id = try checkedID(id, of: { token.content }, path: path)
            tokens.append(token)
        }
        return tokens
    }

    /// A larger id means a damaged file, not a large vocabulary.
    private static let largestID = 1 << 24

    /// Checks that an id is in range; the error names the token.
    static func checkedID(
        _ id: Int, of token: () -> String, path: String
    ) throws(TokenizerError) -> Int32 {
        if (0...largestID).contains(id) { return Int32(id) }
        let reason = id < 0 ? "is negative" : "is larger than \(largestID)"
        throw .invalidTokenID(path: path, token: token(), id: id, reason: reason)
    }
}
