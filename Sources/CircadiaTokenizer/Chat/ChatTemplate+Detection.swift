import Foundation

extension ChatTemplate {
    /// The format that a template writes, told by what it must and must not mention.
    static func format(
        of template: TemplateText, dateString: String?
    ) throws(TokenizerError) -> Format {
        let text = template.text
        func mentions(_ part: String) -> Bool { text.contains(part) }
        let readsMessages =
            mentions("add_generation_prompt")
            && (mentions("message['role']") || mentions("message.role")
                || mentions("message[\"role\"]"))
            && (mentions("message['content']") || mentions("message.content")
                || mentions("message[\"content\"]"))
        if readsMessages && mentions("<|im_start|>") && mentions("<|im_end|>") {
            // Tools, reasoning and trimming would be lost in silence.
            let unknownParts = ["tool", "think", "reasoning", "trim", "strip", "bos_token"]
            if !unknownParts.contains(where: mentions) {
                return .chatML(defaultSystem: defaultSystem(in: text))
            }
        }
        if readsMessages && mentions("<|start_header_id|>") && mentions("<|end_header_id|>")
            && mentions("<|eot_id|>") && !mentions("<think>")
        {
            guard mentions("Cutting Knowledge Date") && mentions("Today Date") else {
                if !mentions("tool") { return .llama3(date: nil) }
                throw template.unknown
            }
            // Llama 3.1 names one fixed date; from 3.2 on it is today's.
            let date = dateString ?? (mentions("strftime_now") ? today() : "26 Jul 2024")
            return .llama3(date: date)
        }
        throw template.unknown
    }

    /// The system message that a ChatML template puts in front of a chat without one.
    private static func defaultSystem(in template: String) -> String? {
        // The line break after the role is one character, or an escape inside a string.
        for lineBreak in ["\n", "\\n"] {
            if let start = template.firstRange(of: "<|im_start|>system" + lineBreak),
                let end = template[start.upperBound...].firstRange(of: "<|im_end|>")
            {
                let text = String(template[start.upperBound..<end.lowerBound])
                return text.contains("{{") || text.contains("'") ? nil : text
            }
        }
        return nil
    }

    static func hasLlama3Tokens(_ tokenizer: BPETokenizer) -> Bool {
        ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
            .allSatisfy { tokenizer.id(of: $0) != nil }
    }

    /// Today in the local time zone, as `%d %b %Y` writes it.
    static func today(_ date: Date = Date()) -> String {
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .current
        let parts = calendar.dateComponents([.day, .month, .year], from: date)
        let day = parts.day ?? 1
        let month = months[((parts.month ?? 1) - 1) % 12]
        return (day < 10 ? "0" : "") + "\(day) \(month) \(parts.year ?? 1970)"
    }
}

/// A chat template and the file that it was found in.
struct TemplateText: Equatable {
    var path: String
    var text: String

    var unknown: TokenizerError {
        .unknownTemplate(path: path, beginning: String(text.prefix(60)))
    }

    /// Looks for a template: a file of its own first, then the tokenizer's configuration.
    static func find(in directory: URL) throws(TokenizerError) -> TemplateText? {
        let file = directory.appendingPathComponent("chat_template.jinja")
        if FileManager.default.fileExists(atPath: file.path) {
            guard let data = try? Data(contentsOf: file) else {
                throw .unreadable(path: file.path, reason: "it cannot be opened")
            }
            return TemplateText(path: file.path, text: String(decoding: data, as: UTF8.self))
        }
        let configuration = directory.appendingPathComponent("tokenizer_config.json")
        guard FileManager.default.fileExists(atPath: configuration.path) else { return nil }
        let text = try TokenizerFile(configuration).read { reader in try readTemplate(&reader) }
        return text.map { TemplateText(path: configuration.path, text: $0) }
    }

    /// The value of `chat_template`: a string, or a list of named ones of which "default" counts.
    private static func readTemplate(_ reader: inout JSONReader) throws -> String? {
        var template: String?
        var members = try reader.beginObject()
        while let key = try members.nextKey(&reader) {
            guard key.equals("chat_template", in: reader.bytes) else {
                try reader.skip()
                continue
            }
            if try reader.peek() == .array {
                template = try readNamedTemplates(&reader)
            } else {
                template = try reader.optionalText()
            }
        }
        try reader.end()
        return template
    }

    private static func readNamedTemplates(_ reader: inout JSONReader) throws -> String? {
        var chosen: String?
        var elements = try reader.beginArray()
        while try elements.next(&reader) {
            var name = ""
            var text: String?
            var members = try reader.beginObject()
            while let key = try members.nextKey(&reader) {
                switch key.text(in: reader.bytes) {
                case "name": name = try reader.text()
                case "template": text = try reader.text()
                default: try reader.skip()
                }
            }
            if name == "default" { chosen = text }
        }
        return chosen
    }
}
