import CircadiaFiles
import Foundation

/// The contents of a `tokenizer.json` for BERT's uncased WordPiece.
struct WordPieceDefinition {
    private(set) var vocabulary = VocabularyTable()
    private(set) var addedTokens: [AddedToken] = []
    private(set) var unknownToken = "[UNK]"
    private(set) var continuation = "##"
    private(set) var maxWordScalars = 100
    private var path: String

    init(_ url: URL) throws(TokenizerError) {
        let file = try TokenizerFile(url)
        path = file.path
        self = try file.read { [start = self] reader in
            var definition = start
            try definition.readFile(&reader)
            return definition
        }
    }

    /// The id of the token with this text; nil if there is none.
    func id(of token: String) -> Int32? {
        var token = token
        return token.withUTF8 { vocabulary.id(of: $0) }
    }

    private mutating func readFile(_ reader: inout JSONReader) throws {
        var missing = ["normalizer", "pre_tokenizer", "model"]
        var members = try reader.beginObject()
        while let key = try members.nextKey(&reader) {
            let name = key.text(in: reader.bytes)
            missing.removeAll { $0 == name }
            switch name {
            case "added_tokens": addedTokens = try AddedToken.readList(&reader, path: path)
            case "normalizer": try requireUncased(TokenizerPart(&reader))
            case "pre_tokenizer":
                let part = try TokenizerPart(&reader)
                if part.type != "BertPreTokenizer" {
                    throw unsupported(name, part.summary, "BertPreTokenizer")
                }
            case "model": try readModel(&reader)
            default: try reader.skip()
            }
        }
        try reader.end()
        if let field = missing.first {
            throw TokenizerError.missingField(path: path, field: field)
        }
    }

    /// Accepts only the options that the generated tables were made for.
    private func requireUncased(_ part: TokenizerPart) throws(TokenizerError) {
        guard part.type == "BertNormalizer" else {
            throw unsupported("normalizer", part.summary, "BertNormalizer")
        }
        for flag in ["clean_text", "handle_chinese_chars", "lowercase", "strip_accents"]
        where part.flags[flag] == false {
            throw unsupported("normalizer.\(flag)", "false", "true")
        }
    }

    private func unsupported(
        _ field: String, _ found: String, _ supported: String
    ) -> TokenizerError {
        .unsupported(path: path, field: field, found: found, supported: supported)
    }

    private mutating func readModel(_ reader: inout JSONReader) throws {
        var hasVocabulary = false
        var members = try reader.beginObject()
        while let key = try members.nextKey(&reader) {
            switch key.text(in: reader.bytes) {
            case "type":
                let type = try reader.text()
                if type != "WordPiece" { throw unsupported("model.type", type, "WordPiece") }
            case "unk_token": unknownToken = try reader.text()
            case "continuing_subword_prefix": continuation = try reader.text()
            case "max_input_chars_per_word": maxWordScalars = try reader.integer()
            case "vocab":
                try readVocabulary(&reader)
                hasVocabulary = true
            default: try reader.skip()
            }
        }
        if !hasVocabulary { throw TokenizerError.missingField(path: path, field: "model.vocab") }
    }

    private mutating func readVocabulary(_ reader: inout JSONReader) throws {
        let bytes = reader.bytes
        vocabulary.reserve(
            tokens: min((bytes.count - reader.position) / 14, 1 << 18), byteCount: 1 << 18)
        var members = try reader.beginObject()
        while let key = try members.nextKey(&reader) {
            let id = try AddedToken.checkedID(
                try reader.integer(), of: { key.text(in: bytes) }, path: path)
            let isNew = vocabulary.insert(id: id) { block in
                key.withBytes(in: bytes) { block.append(contentsOf: $0) }
                return true
            }
            if !isNew {
                throw TokenizerError.invalidTokenID(
                    path: path, token: key.text(in: bytes), id: Int(id),
                    reason: "another token has already")
            }
        }
    }
}
