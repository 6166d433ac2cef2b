import CircadiaFiles

/// A normalizer, pre-tokenizer or decoder of `tokenizer.json`.
struct TokenizerPart {
    /// Its `type`; "null" if there is none.
    var type = "null"
    /// The regular expression of a Split.
    var expression: String?
    var behavior: String?
    var inverts = false
    var splitsDigits = false
    var addsPrefixSpace = false
    var usesExpression = true
    /// The parts of a Sequence.
    var parts: [TokenizerPart] = []
    /// All Boolean members by name, for components with flags of their own.
    var flags: [String: Bool] = [:]

    init(_ reader: inout JSONReader) throws {
        if reader.null() { return }
        type = "unnamed"
        var members = try reader.beginObject()
        while let key = try members.nextKey(&reader) {
            let name = key.text(in: reader.bytes)
            switch name {
            case "type": type = try reader.text()
            case "pattern": expression = try Self.readPattern(&reader)
            case "behavior": behavior = try reader.text()
            case "pretokenizers", "normalizers", "decoders":
                var elements = try reader.beginArray()
                while try elements.next(&reader) { parts.append(try TokenizerPart(&reader)) }
            default:
                if try reader.peek() == .bool {
                    flags[name] = try reader.bool()
                } else {
                    try reader.skip()
                }
            }
        }
        inverts = flags["invert"] ?? false
        splitsDigits = flags["individual_digits"] ?? false
        addsPrefixSpace = flags["add_prefix_space"] ?? false
        usesExpression = flags["use_regex"] ?? true
    }

    /// Reads `{"Regex": "…"}`. A literal `{"String": "…"}` gives nil.
    private static func readPattern(_ reader: inout JSONReader) throws -> String? {
        guard try reader.peek() == .object else {
            try reader.skip()
            return nil
        }
        var expression: String?
        var members = try reader.beginObject()
        while let key = try members.nextKey(&reader) {
            if key.equals("Regex", in: reader.bytes) {
                expression = try reader.text()
            } else {
                try reader.skip()
            }
        }
        return expression
    }

    /// A summary for messages: the types and the beginning of an expression.
    var summary: String {
        if type == "Sequence" {
            return "Sequence(" + parts.map(\.summary).joined(separator: ", ") + ")"
        }
        guard let expression else {
            return addsPrefixSpace ? type + " with add_prefix_space" : type
        }
        let beginning = String(expression.prefix(60))
        return type + " at " + (beginning == expression ? expression : beginning + "…")
    }
}

extension PreTokenizer {
    /// Creates the pre-tokenizer that a `tokenizer.json` describes.
    init(_ part: TokenizerPart, path: String) throws(TokenizerError) {
        var parts = part.type == "Sequence" ? part.parts[...] : [part]
        var digits = Digits.none
        if let first = parts.first, first.type == "Digits" {
            digits = first.splitsDigits ? .individual : .contiguous
            parts.removeFirst()
        }
        var pattern: Pattern?
        if let first = parts.first, first.type == "Split", first.behavior == "Isolated",
            !first.inverts, let expression = first.expression
        {
            pattern = Self.pattern(of: expression)
            parts.removeFirst()
            if parts.first?.usesExpression ?? true { pattern = nil }
        } else if parts.first?.usesExpression ?? false {
            pattern = .gpt2
        }
        let isByteLevel =
            parts.count == 1 && parts.first?.type == "ByteLevel"
            && parts.first?.addsPrefixSpace == false
        guard isByteLevel, let pattern else {
            throw .unsupported(
                path: path, field: "pre_tokenizer", found: part.summary,
                supported: "ByteLevel, or Split at Llama 3's expression and then ByteLevel; "
                    + "either may follow Digits")
        }
        self.init(digits: digits, pattern: pattern)
    }
}
