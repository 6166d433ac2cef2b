import CircadiaConversation
import Foundation

extension HarnessPrompt {
    /// Reads a file of prompts, one JSON object a line; empty lines are passed over.
    ///
    /// A field that is missing, unknown or of the wrong kind is an error, for a typing mistake
    /// would silently change what is measured. The schema is in `data/eval/README.md`.
    ///
    /// - Throws: `EvaluationError.promptsUnreadable`, `.badPrompt` with the line, `.noPrompts`.
    package static func load(_ url: URL) throws(EvaluationError) -> [HarnessPrompt] {
        let data: Data
        do {
            data = try Data(contentsOf: url)
        } catch {
            let missing = !FileManager.default.fileExists(atPath: url.path)
            throw .promptsUnreadable(
                path: url.path, reason: missing ? "no such file" : "reading it failed")
        }
        var prompts: [HarnessPrompt] = []
        var lines: [String: Int] = [:]
        let pieces = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, piece) in pieces.enumerated() {
            if piece.allSatisfy({ [0x20, 0x09, 0x0D].contains($0) }) { continue }
            let line = PromptLine(path: url.path, line: index + 1)
            let prompt = try line.prompt(Data(piece))
            if let first = lines[prompt.id] {
                throw line.error("id", "'\(prompt.id)' is taken by line \(first)")
            }
            lines[prompt.id] = index + 1
            prompts.append(prompt)
        }
        guard !prompts.isEmpty else { throw .noPrompts(path: url.path) }
        return prompts
    }
}

/// Reads one line of a file of prompts and knows where it stands.
private struct PromptLine {
    let path: String
    let line: Int

    func error(_ field: String, _ reason: String) -> EvaluationError {
        .badPrompt(path: path, line: line, field: field, reason: reason)
    }

    func prompt(_ data: Data) throws(EvaluationError) -> HarnessPrompt {
        let value: PromptValue
        do {
            value = try JSONDecoder().decode(PromptValue.self, from: data)
        } catch {
            throw self.error("the line", "it is not valid JSON")
        }
        let fields = try fields(value, in: "the line")
        try fields.allow(["id", "category", "prompt", "messages", "scorer", "max_tokens"])
        let name = try fields.string("category")
        guard let category = HarnessPrompt.Category(rawValue: name) else {
            let names = HarnessPrompt.Category.allCases.map(\.rawValue).joined(separator: ", ")
            throw error("category", "'\(name)' is none of \(names)")
        }
        let scorer = try self.fields(try fields.value("scorer"), in: "scorer")
        return HarnessPrompt(
            id: try fields.string("id"), category: category, messages: try messages(fields),
            judge: try judge(scorer),
            maxTokens: try fields.optional("max_tokens", fields.count)
                ?? HarnessPrompt.defaultMaxTokens)
    }

    private func fields(
        _ value: PromptValue, in place: String
    ) throws(EvaluationError) -> PromptFields {
        guard case .object(let values) = value else {
            throw error(place, "expected an object")
        }
        return PromptFields(place: place, values: values, error: error)
    }

    /// `prompt`, or `messages` for a conversation, but not both.
    private func messages(_ fields: PromptFields) throws(EvaluationError) -> [ChatMessage] {
        if let text = try fields.optional("prompt", fields.string) {
            guard fields.values["messages"] == nil else {
                throw error("messages", "a prompt has 'prompt' or 'messages', not both")
            }
            return [ChatMessage(role: .user, content: text)]
        }
        guard case .list(let list)? = fields.values["messages"] else {
            throw error("prompt", "missing: expected 'prompt', or 'messages' as a list")
        }
        var messages: [ChatMessage] = []
        for (index, entry) in list.enumerated() {
            let message = try self.fields(entry, in: "messages[\(index)]")
            try message.allow(["role", "content"])
            let name = try message.string("role")
            guard let role = ChatMessage.Role(rawValue: name) else {
                throw error(
                    "messages[\(index)].role", "'\(name)' is none of system, user, assistant")
            }
            messages.append(ChatMessage(role: role, content: try message.string("content")))
        }
        guard messages.last?.role == .user else {
            throw error("messages", "the last message must be the user's")
        }
        return messages
    }

    private func judge(_ scorer: PromptFields) throws(EvaluationError) -> HarnessPrompt.Judge {
        let type = try scorer.string("type")
        switch type {
        case "contains_any":
            try scorer.allow(["type", "any", "none", "max_words"])
            return .containsAny(
                ContainsAnyScorer(
                    any: try scorer.strings("any"),
                    none: try scorer.optional("none", scorer.strings) ?? [],
                    maxWords: try scorer.optional("max_words", scorer.count)))
        case "regex":
            try scorer.allow(["type", "pattern"])
            guard let regex = RegexScorer(pattern: try scorer.string("pattern")) else {
                throw error("scorer.pattern", "it is not a regular expression")
            }
            return .regex(regex)
        case "numeric":
            try scorer.allow(["type", "answer", "tolerance"])
            let tolerance = try scorer.optional("tolerance", scorer.number) ?? 0
            guard tolerance >= 0 else { throw error("scorer.tolerance", "it is negative") }
            return .numeric(
                NumericScorer(answer: try scorer.number("answer"), tolerance: tolerance))
        case "json_keys":
            try scorer.allow(["type", "keys"])
            return .jsonKeys(JSONKeysScorer(keys: try scorer.strings("keys")))
        case "format_bullets":
            try scorer.allow(["type", "count"])
            return .formatBullets(BulletScorer(count: try scorer.count("count")))
        case "multiple_choice":
            try scorer.allow(["type", "options", "answer"])
            let options = try scorer.strings("options")
            guard Set(options).count == options.count, options.count > 1 else {
                throw error("scorer.options", "expected at least two, all different")
            }
            let answer = try scorer.number("answer")
            guard let index = Int(exactly: answer), options.indices.contains(index) else {
                throw error("scorer.answer", "expected an index, 0 to \(options.count - 1)")
            }
            return .multipleChoice(MultipleChoice(options: options, answer: index))
        default:
            throw error(
                "scorer.type",
                "'\(type)' is none of contains_any, regex, numeric, json_keys, format_bullets, "
                    + "multiple_choice")
        }
    }
}

/// The fields of a JSON object, read strictly.
private struct PromptFields {
    let place: String
    let values: [String: PromptValue]
    let error: (String, String) -> EvaluationError

    private func name(_ key: String) -> String { place == "the line" ? key : "\(place).\(key)" }

    func allow(_ keys: Set<String>) throws(EvaluationError) {
        if let unknown = values.keys.filter({ !keys.contains($0) }).min() {
            throw error(
                name(unknown), "unknown field; known: \(keys.sorted().joined(separator: ", "))")
        }
    }

    func value(_ key: String) throws(EvaluationError) -> PromptValue {
        guard let value = values[key] else { throw error(name(key), "missing") }
        return value
    }

    func optional<T>(
        _ key: String, _ read: (String) throws(EvaluationError) -> T
    ) throws(EvaluationError) -> T? {
        values[key] == nil ? nil : try read(key)
    }

    func string(_ key: String) throws(EvaluationError) -> String {
        guard case .text(let text) = try value(key), !text.isEmpty else {
            throw error(name(key), "expected a text that is not empty")
        }
        return text
    }

    func strings(_ key: String) throws(EvaluationError) -> [String] {
        guard case .list(let list) = try value(key), !list.isEmpty else {
            throw error(name(key), "expected a list of texts, none of them empty")
        }
        var texts: [String] = []
        for entry in list {
            guard case .text(let text) = entry, !text.isEmpty else {
                throw error(name(key), "expected a list of texts, none of them empty")
            }
            texts.append(text)
        }
        return texts
    }

    func number(_ key: String) throws(EvaluationError) -> Double {
        guard case .number(let number) = try value(key) else {
            throw error(name(key), "expected a number")
        }
        return number
    }

    func count(_ key: String) throws(EvaluationError) -> Int {
        guard let number = Int(exactly: try number(key)), number > 0 else {
            throw error(name(key), "expected a whole number above 0")
        }
        return number
    }
}

/// A JSON value whose kind is kept: true is not 1.
private enum PromptValue: Decodable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([PromptValue])
    case object([String: PromptValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([PromptValue].self) {
            self = .list(list)
        } else {
            self = .object(try container.decode([String: PromptValue].self))
        }
    }
}
