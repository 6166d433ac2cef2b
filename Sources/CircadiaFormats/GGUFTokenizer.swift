import CircadiaFiles

/// The tokenizer fields of a GGUF file, translated to the files of Hugging Face `tokenizers`.
struct GGUFTokenizer {
    private let tokens: [String]
    private let merges: [String]
    private let types: [Int]
    private let preTokenizer: PreTokenizer
    private let chatTemplate: String?
    private let addsBegin: Bool
    private let contextLength: Int
    private let unknownID: Int?
    let beginID: Int?
    let endID: Int?
    let padID: Int?

    /// How text is split before merges, by llama.cpp's names.
    private enum PreTokenizer: String, CaseIterable {
        case smollm
        case gpt2 = "gpt-2"
        case llamaBPE = "llama-bpe"

        init?(name: String) {
            switch name {
            case "llama3", "llama-v3": self = .llamaBPE
            default: self.init(rawValue: name)
            }
        }
    }

    init(_ file: GGUFFile) throws(GGUFProblem) {
        let reader = GGUFMetadataReader(file.metadata)
        let model = try reader.string("tokenizer.ggml.model")
        guard model == "gpt2" else {
            throw .unsupportedTokenizer(key: "tokenizer.ggml.model", value: model)
        }
        let pre = try reader.string("tokenizer.ggml.pre")
        guard let preTokenizer = PreTokenizer(name: pre) else {
            throw .unsupportedTokenizer(key: "tokenizer.ggml.pre", value: pre)
        }
        self.preTokenizer = preTokenizer
        tokens = try Self.strings(file, "tokenizer.ggml.tokens")
        merges = try Self.strings(file, "tokenizer.ggml.merges")
        types = try Self.tokenTypes(file, count: tokens.count)
        chatTemplate = file.metadata["tokenizer.chat_template"]?.stringValue
        addsBegin =
            file.metadata["tokenizer.ggml.add_bos_token"]?.boolValue ?? (preTokenizer == .llamaBPE)
        contextLength = try reader.size("llama.context_length")
        beginID = try Self.tokenID(file, "tokenizer.ggml.bos_token_id", below: tokens.count)
        endID = try Self.tokenID(file, "tokenizer.ggml.eos_token_id", below: tokens.count)
        padID = try Self.tokenID(file, "tokenizer.ggml.padding_token_id", below: tokens.count)
        unknownID = try Self.tokenID(file, "tokenizer.ggml.unknown_token_id", below: tokens.count)
    }

    private static func strings(
        _ file: GGUFFile, _ key: String
    ) throws(GGUFProblem) -> [String] {
        guard let values = file.metadata[key]?.arrayValue else {
            throw .missingMetadata(key: key, expected: "an array of strings")
        }
        let strings = values.compactMap(\.stringValue)
        guard strings.count == values.count, !strings.isEmpty else {
            throw .missingMetadata(key: key, expected: "an array of strings")
        }
        return strings
    }

    private static func tokenTypes(
        _ file: GGUFFile, count: Int
    ) throws(GGUFProblem) -> [Int] {
        let key = "tokenizer.ggml.token_type"
        guard let values = file.metadata[key]?.arrayValue else {
            throw .missingMetadata(key: key, expected: "an array of integers")
        }
        let types = values.compactMap(\.intValue)
        guard types.count == count else {
            throw .inconsistentMetadata(
                key: key, expected: "\(count) integers", found: "\(types.count)")
        }
        return types
    }

    private static func tokenID(
        _ file: GGUFFile, _ key: String, below count: Int
    ) throws(GGUFProblem) -> Int? {
        guard let value = file.metadata[key]?.intValue else { return nil }
        guard 0..<count ~= value else {
            throw .inconsistentMetadata(
                key: key, expected: "less than \(count)", found: "\(value)")
        }
        return value
    }

    /// Ids of control (3) and user-defined (4) tokens, which are found before any splitting.
    private var addedIDs: [Int] { types.indices.filter { types[$0] == 3 || types[$0] == 4 } }

    private func addedToken(_ id: Int) -> JSONObject {
        [
            "content": .string(tokens[id]), "single_word": .bool(false), "lstrip": .bool(false),
            "rstrip": .bool(false), "normalized": .bool(false), "special": .bool(types[id] == 3),
        ]
    }

    /// The contents of `tokenizer.json`.
    var tokenizerJSON: JSONValue {
        var vocabulary = JSONObject()
        for (id, token) in tokens.enumerated() { vocabulary[token] = .integer(id) }
        let model: JSONObject = [
            "type": .string("BPE"), "dropout": .null, "unk_token": .null,
            "continuing_subword_prefix": .null, "end_of_word_suffix": .null,
            "fuse_unk": .bool(false), "byte_fallback": .bool(false),
            "ignore_merges": .bool(preTokenizer == .llamaBPE), "vocab": .object(vocabulary),
            "merges": .array(merges.map { .string($0) }),
        ]
        let added = addedIDs.map { id in
            var object: JSONObject = ["id": .integer(id)]
            for (key, value) in addedToken(id).members { object[key] = value }
            return JSONValue.object(object)
        }
        return .object([
            "version": .string("1.0"), "truncation": .null, "padding": .null,
            "added_tokens": .array(added), "normalizer": .null,
            "pre_tokenizer": preTokenizerJSON, "post_processor": postProcessorJSON,
            "decoder": byteLevel(addPrefixSpace: true, usesRegex: true),
            "model": .object(model),
        ])
    }

    private func byteLevel(addPrefixSpace: Bool, usesRegex: Bool) -> JSONValue {
        .object([
            "type": .string("ByteLevel"), "add_prefix_space": .bool(addPrefixSpace),
            "trim_offsets": .bool(true), "use_regex": .bool(usesRegex),
        ])
    }

    private var preTokenizerJSON: JSONValue {
        let first: JSONValue
        switch preTokenizer {
        case .gpt2: return byteLevel(addPrefixSpace: false, usesRegex: true)
        case .smollm:
            first = .object(["type": .string("Digits"), "individual_digits": .bool(true)])
        case .llamaBPE:
            let pattern =
                #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"#
                + #" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
            first = .object([
                "type": .string("Split"), "pattern": .object(["Regex": .string(pattern)]),
                "behavior": .string("Isolated"), "invert": .bool(false),
            ])
        }
        return .object([
            "type": .string("Sequence"),
            "pretokenizers": .array([
                first, byteLevel(addPrefixSpace: false, usesRegex: preTokenizer == .smollm),
            ]),
        ])
    }

    private var postProcessorJSON: JSONValue {
        guard addsBegin, let beginID else { return .null }
        let name = JSONValue.string(tokens[beginID])
        func special(_ type: Int) -> JSONValue {
            .object(["SpecialToken": .object(["id": name, "type_id": .integer(type)])])
        }
        func sequence(_ id: String, _ type: Int) -> JSONValue {
            .object(["Sequence": .object(["id": .string(id), "type_id": .integer(type)])])
        }
        return .object([
            "type": .string("TemplateProcessing"),
            "single": .array([special(0), sequence("A", 0)]),
            "pair": .array([special(0), sequence("A", 0), special(1), sequence("B", 1)]),
            "special_tokens": .object([
                tokens[beginID]: .object([
                    "id": name, "ids": .array([.integer(beginID)]), "tokens": .array([name]),
                ])
            ]),
        ])
    }

    /// The contents of `tokenizer_config.json`.
    var configurationJSON: JSONValue {
        var decoder = JSONObject()
        for id in addedIDs { decoder[String(id)] = .object(addedToken(id)) }
        var object: JSONObject = [
            "add_prefix_space": .bool(false), "added_tokens_decoder": .object(decoder),
            "clean_up_tokenization_spaces": .bool(false),
            "model_max_length": .integer(contextLength),
            "tokenizer_class": .string("PreTrainedTokenizerFast"),
        ]
        object["bos_token"] = beginID.map { .string(tokens[$0]) }
        object["eos_token"] = endID.map { .string(tokens[$0]) }
        object["pad_token"] = padID.map { .string(tokens[$0]) }
        object["unk_token"] = unknownID.map { .string(tokens[$0]) }
        object["chat_template"] = chatTemplate.map { .string($0) }
        return .object(object)
    }

    /// The contents of `generation_config.json`.
    var generationJSON: JSONValue {
        var object = JSONObject()
        object["bos_token_id"] = beginID.map { .integer($0) }
        object["eos_token_id"] = endID.map { .integer($0) }
        object["pad_token_id"] = padID.map { .integer($0) }
        return .object(object)
    }
}
