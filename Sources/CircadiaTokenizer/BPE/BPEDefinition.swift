import CircadiaFiles
import Foundation

/// The contents of a `tokenizer.json` for byte-level BPE.
struct BPEDefinition {
    private(set) var vocabulary = VocabularyTable()
    private(set) var merges = MergeTable(capacity: 0)
    private(set) var addedTokens: [AddedToken] = []
    /// Tokens without bytes, by their text. Only explicit ids lead to them.
    private(set) var otherTokens: [String: Int32] = [:]
    private(set) var preTokenizer = PreTokenizer(digits: .none, pattern: .gpt2)
    /// The token of each single byte; −1 if there is none.
    private(set) var tokenOfByte: [Int32] = []
    private(set) var ignoresMerges = false

    private var path: String
    private var unknownToken: String?
    private var fusesUnknown = false
    private var fallsBackToBytes = false

    init(_ url: URL) throws(TokenizerError) {
        let file = try TokenizerFile(url)
        path = file.path
        self = try file.read { [start = self] reader in
            var definition = start
            try definition.readFile(&reader)
            return definition
        }
    }

    // MARK: The file

    private mutating func readFile(_ reader: inout JSONReader) throws {
        var isPreTokenizerKnown = false
        var isDecoderKnown = false
        var hasModel = false
        var members = try reader.beginObject()
        while let key = try members.nextKey(&reader) {
            switch key.text(in: reader.bytes) {
            case "added_tokens":
                addedTokens = try AddedToken.readList(&reader, path: path)
            case "normalizer":
                try requireNoNormalizer(&reader)
            case "pre_tokenizer":
                preTokenizer = try PreTokenizer(TokenizerPart(&reader), path: path)
                isPreTokenizerKnown = true
            case "decoder":
                try requireByteLevelDecoder(TokenizerPart(&reader))
                isDecoderKnown = true
            case "model":
                try readModel(&reader)
                hasModel = true
            default: try reader.skip()
            }
        }
        try reader.end()
        guard hasModel else { throw TokenizerError.missingField(path: path, field: "model") }
        guard isPreTokenizerKnown else {
            throw TokenizerError.missingField(path: path, field: "pre_tokenizer")
        }
        guard isDecoderKnown else {
            throw TokenizerError.missingField(path: path, field: "decoder")
        }
        try findByteTokens()
        try insertAddedTokens()
    }

    private func requireNoNormalizer(_ reader: inout JSONReader) throws {
        let part = try TokenizerPart(&reader)
        if part.type == "null" || part.type == "Sequence" && part.parts.isEmpty { return }
        throw unsupported("normalizer", part.summary, "none")
    }

    private func requireByteLevelDecoder(_ part: TokenizerPart) throws {
        if part.type == "ByteLevel" { return }
        throw unsupported("decoder", part.summary, "ByteLevel")
    }

    private func unsupported(
        _ field: String, _ found: String, _ supported: String
    ) -> TokenizerError {
        .unsupported(path: path, field: field, found: found, supported: supported)
    }

    // MARK: The model

    private mutating func readModel(_ reader: inout JSONReader) throws {
        var hasVocabulary = false
        var mergesStart: JSONReader?
        var members = try reader.beginObject()
        while let key = try members.nextKey(&reader) {
            switch key.text(in: reader.bytes) {
            case "type":
                let type = try reader.text()
                if type != "BPE" { throw unsupported("model.type", type, "BPE") }
            case "dropout":
                let range = try reader.skip()
                let text = String(decoding: reader.bytes[range], as: UTF8.self)
                if text != "null" && Double(text) != 0 {
                    throw unsupported("model.dropout", text, "none")
                }
            case "continuing_subword_prefix", "end_of_word_suffix":
                let affix = try reader.optionalText() ?? ""
                if !affix.isEmpty {
                    let field = "model." + key.text(in: reader.bytes)
                    throw unsupported(field, affix.quotedForMessage, "none")
                }
            case "unk_token": unknownToken = try reader.optionalText()
            case "fuse_unk": fusesUnknown = try reader.bool()
            case "byte_fallback": fallsBackToBytes = try reader.bool()
            case "ignore_merges": ignoresMerges = try reader.bool()
            case "vocab":
                try readVocabulary(&reader)
                hasVocabulary = true
            case "merges":
                // Merges refer to the vocabulary, which may come later in the file.
                mergesStart = reader
                if hasVocabulary {
                    try readMerges(&reader)
                } else {
                    try reader.skip()
                }
            default: try reader.skip()
            }
        }
        guard hasVocabulary else {
            throw TokenizerError.missingField(path: path, field: "model.vocab")
        }
        guard var later = mergesStart else {
            throw TokenizerError.missingField(path: path, field: "model.merges")
        }
        if merges.count == 0 { try readMerges(&later) }
    }

    private mutating func readVocabulary(_ reader: inout JSONReader) throws {
        let bytes = reader.bytes
        // A token takes about 20 bytes of the file.
        vocabulary.reserve(
            tokens: min((bytes.count - reader.position) / 20, 1 << 18), byteCount: 1 << 20)
        var members = try reader.beginObject()
        while let key = try members.nextKey(&reader) {
            let id = try checkedID(try reader.integer(), of: key, in: bytes)
            var isWritten = false
            let isNew = vocabulary.insert(id: id) { block in
                key.withBytes(in: bytes) { token in
                    isWritten = ByteAlphabet.appendBytes(of: token, to: &block)
                    if !isWritten { block.append(contentsOf: token) }
                }
                return isWritten
            }
            let text = isWritten && isNew ? "" : key.text(in: bytes)
            if !isNew {
                throw TokenizerError.invalidTokenID(
                    path: path, token: text, id: Int(id), reason: "another token has already")
            }
            if !isWritten { otherTokens[text] = id }
        }
    }

    private func checkedID(
        _ id: Int, of key: JSONString, in bytes: UnsafeBufferPointer<UInt8>
    ) throws(TokenizerError) -> Int32 {
        try AddedToken.checkedID(id, of: { key.text(in: bytes) }, path: path)
    }

    // MARK: Merges

    private mutating func readMerges(_ reader: inout JSONReader) throws {
        // A merge takes at least 16 bytes of the file. Too large a guess only costs memory.
        let left = reader.bytes.count - reader.position
        var table = MergeTable(capacity: min(left / 20, 2 * vocabulary.count))
        let pathOfFile = path
        try vocabulary.withUnsafeTables { vocabulary in
            var joined: [UInt8] = []
            var elements = try reader.beginArray()
            var index = 0
            while try elements.next(&reader) {
                reader.skipWhitespace()
                let start = reader.position
                joined.removeAll(keepingCapacity: true)
                let leftCount = try Self.readPair(&reader, into: &joined)
                let found = joined.withUnsafeBufferPointer { joined in
                    let left = UnsafeBufferPointer(rebasing: joined[..<max(leftCount, 0)])
                    let right = UnsafeBufferPointer(rebasing: joined[max(leftCount, 0)...])
                    guard leftCount >= 0, let leftID = vocabulary.id(of: left),
                        let rightID = vocabulary.id(of: right),
                        let result = vocabulary.id(of: joined)
                    else { return false }
                    table.insert(leftID, rightID, .init(rank: UInt32(index), result: result))
                    return true
                }
                if !found {
                    let missing = Self.missingToken(
                        bytes: reader.bytes, at: start, vocabulary: vocabulary)
                    throw TokenizerError.unknownMergeToken(
                        path: pathOfFile, byte: start, index: index, token: missing)
                }
                index += 1
            }
        }
        merges = table
    }

    /// Reads `"a b"` or `["a", "b"]` and appends the bytes of both. Returns the number of bytes of
    /// the left one, or −1 if a character is outside the byte alphabet.
    private static func readPair(
        _ reader: inout JSONReader, into joined: inout [UInt8]
    ) throws -> Int {
        let bytes = reader.bytes
        if try reader.peek() == .array {
            let (left, right) = try readListedPair(&reader)
            guard left.withBytes(in: bytes, { ByteAlphabet.appendBytes(of: $0, to: &joined) })
            else { return -1 }
            let leftCount = joined.count
            guard right.withBytes(in: bytes, { ByteAlphabet.appendBytes(of: $0, to: &joined) })
            else { return -1 }
            return leftCount
        }
        let before = reader
        let pair = try reader.string()
        let leftCount = pair.withBytes(in: bytes) { pair -> Int? in
            guard let space = pair.firstIndex(of: UInt8(ascii: " ")) else { return nil }
            let left = UnsafeBufferPointer(rebasing: pair[..<space])
            let right = UnsafeBufferPointer(rebasing: pair[(space + 1)...])
            guard ByteAlphabet.appendBytes(of: left, to: &joined) else { return -1 }
            let leftCount = joined.count
            return ByteAlphabet.appendBytes(of: right, to: &joined) ? leftCount : -1
        }
        guard let leftCount else { throw before.failure("two tokens with a space between") }
        return leftCount
    }

    private static func readListedPair(
        _ reader: inout JSONReader
    ) throws -> (JSONString, JSONString) {
        var elements = try reader.beginArray()
        guard try elements.next(&reader) else { throw reader.failure("two tokens") }
        let left = try reader.string()
        guard try elements.next(&reader) else { throw reader.failure("two tokens") }
        let right = try reader.string()
        if try elements.next(&reader) { throw reader.failure("\"]\" after two tokens") }
        return (left, right)
    }

    /// The token of the merge at `position` that the vocabulary lacks, as the file writes it.
    private static func missingToken(
        bytes: UnsafeBufferPointer<UInt8>, at position: Int,
        vocabulary: VocabularyTable.UnsafeTables
    ) -> String {
        var reader = JSONReader(UnsafeBufferPointer(rebasing: bytes[position...]))
        let parts: [String]
        if let pair = try? readListedPair(&reader) {
            parts = [pair.0.text(in: reader.bytes), pair.1.text(in: reader.bytes)]
        } else {
            reader = JSONReader(UnsafeBufferPointer(rebasing: bytes[position...]))
            let text = (try? reader.text()) ?? ""
            let space = text.firstIndex(of: " ") ?? text.endIndex
            parts = [String(text[..<space]), String(text[space...].dropFirst())]
        }
        let candidates = parts + [parts.joined()]
        return candidates.first { candidate in
            var written = candidate
            var token: [UInt8] = []
            let isWritten = written.withUTF8 { ByteAlphabet.appendBytes(of: $0, to: &token) }
            return !isWritten || token.withUnsafeBufferPointer { vocabulary.id(of: $0) } == nil
        } ?? parts.joined()
    }

    // MARK: Bytes and added tokens

    private mutating func findByteTokens() throws(TokenizerError) {
        tokenOfByte = (0...255).map { byte in
            [UInt8(byte)].withUnsafeBufferPointer { vocabulary.id(of: $0) } ?? -1
        }
        guard let unknownToken, tokenOfByte.contains(-1) else { return }
        if fallsBackToBytes { throw unsupported("model.byte_fallback", "true", "false") }
        if fusesUnknown { throw unsupported("model.fuse_unk", "true", "false") }
        var written: [UInt8] = []
        var text = unknownToken
        _ = text.withUTF8 { ByteAlphabet.appendBytes(of: $0, to: &written) }
        let id =
            otherTokens[unknownToken]
            ?? written.withUnsafeBufferPointer { vocabulary.id(of: $0) }
        guard let id else { return }
        tokenOfByte = tokenOfByte.map { $0 < 0 ? id : $0 }
    }

    private mutating func insertAddedTokens() throws(TokenizerError) {
        for token in addedTokens where !vocabulary.contains(token.id) {
            _ = vocabulary.insert(id: token.id) { block in
                var content = token.content
                content.withUTF8 { content in
                    if !ByteAlphabet.appendBytes(of: content, to: &block) {
                        block.append(contentsOf: content)
                    }
                }
                return false
            }
        }
    }
}
