import Foundation

/// Renders conversations as a model was trained to read them: SmolLM2's ChatML or Llama 3.2's form,
/// chosen from the model's own template.
public struct ChatTemplate: Sendable {
    enum Kind: Sendable { case chatML, llama3 }

    /// A rendered conversation.
    public struct Rendered: Sendable, Equatable {
        /// Token ids.
        public var ids: [Int32]
        /// For every assistant turn, from its first token after the header to the end of turn.
        public var scored: [Range<Int>]
    }

    let kind: Kind
    let tokenizer: BPETokenizer
    let dateString: String?
    /// The token that ends a turn.
    public let endOfTurn: Int32
    /// Tokens at which a reply ends.
    public let stopTokens: Set<Int32>
    private let open: Int32
    private let close: Int32
    private let begin: Int32?

    /// Recognises the template of the model in `directory`.
    ///
    /// `dateString`: the date that Llama 3.2's system block shows; today where nil. Pin it where text is
    /// trained or compared.
    public init(
        directory: URL, tokenizer: BPETokenizer, dateString: String? = nil
    ) throws(TokenizerError) {
        self.tokenizer = tokenizer
        self.dateString = dateString
        let path = directory.appendingPathComponent("tokenizer_config.json").path
        let data = try? Data(contentsOf: directory.appendingPathComponent("tokenizer_config.json"))
        let json = data.flatMap { try? JSONSerialization.jsonObject(with: $0) as? [String: Any] }
        let jinja = try? String(
            contentsOf: directory.appendingPathComponent("chat_template.jinja"), encoding: .utf8)
        let template = json?["chat_template"] as? String ?? jinja
        if let template {
            if template.contains("<|im_start|>") && template.contains("<|im_end|>") {
                kind = .chatML
            } else if template.contains("<|start_header_id|>") && template.contains("<|eot_id|>") {
                kind = .llama3
            } else {
                throw .unknownTemplate(path: path, beginning: String(template.prefix(60)))
            }
        } else if tokenizer.id(of: "<|start_header_id|>") != nil {
            kind = .llama3
        } else if tokenizer.id(of: "<|im_start|>") != nil {
            kind = .chatML
        } else {
            throw .missingTemplate(directory: directory.path)
        }
        let name = kind == .chatML ? "ChatML" : "Llama 3.2"
        func control(_ token: String) throws(TokenizerError) -> Int32 {
            guard let id = tokenizer.id(of: token) else {
                throw .missingControlToken(
                    directory: directory.path, template: name, token: token)
            }
            return id
        }
        switch kind {
        case .chatML:
            open = try control("<|im_start|>")
            close = try control("<|im_end|>")
            begin = nil
            endOfTurn = close
        case .llama3:
            open = try control("<|start_header_id|>")
            close = try control("<|end_header_id|>")
            begin = try control("<|begin_of_text|>")
            endOfTurn = try control("<|eot_id|>")
        }
        stopTokens = Set(
            [endOfTurn]
                + ["<|endoftext|>", "<|end_of_text|>", "<|eom_id|>"].compactMap(tokenizer.id))
    }

    private func plain(_ text: String) -> [Int32] { tokenizer.encode(text, special: .plain) }

    /// The tokens of one message, and where what is scored begins.
    private func turn(_ role: String, _ content: String) -> (ids: [Int32], content: Int) {
        switch kind {
        case .chatML:
            let head = 1 + plain("\(role)\n").count
            return ([open] + plain("\(role)\n\(content)") + [close] + plain("\n"), head)
        case .llama3:
            let head = [open] + plain(role) + [close]
            let text = content.trimmingCharacters(in: .whitespacesAndNewlines)
            return (head + plain("\n\n" + text) + [endOfTurn], head.count + plain("\n\n").count)
        }
    }

    /// What stands before the first message, where it is not a system message of its own.
    private func preamble(_ messages: [ChatMessage]) -> (ids: [Int32], rest: ArraySlice<ChatMessage>) {
        switch kind {
        case .chatML:
            guard messages.first?.role != .system, !messages.isEmpty else { return ([], messages[...]) }
            let text = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
            return (turn("system", text).ids, messages[...])
        case .llama3:
            let isSystem = messages.first?.role == .system
            let system = isSystem ? messages[0].content : ""
            let text =
                "Cutting Knowledge Date: December 2023\nToday Date: \(dateString ?? Self.today())\n\n"
                + system.trimmingCharacters(in: .whitespacesAndNewlines)
            let ids =
                [begin].compactMap { $0 } + [open] + plain("system") + [close]
                + plain("\n\n" + text) + [endOfTurn]
            return (ids, messages.dropFirst(isSystem ? 1 : 0))
        }
    }

    /// The tokens of a conversation.
    ///
    /// `addGenerationPrompt`: whether the header of an assistant turn follows.
    public func render(_ messages: [ChatMessage], addGenerationPrompt: Bool) -> Rendered {
        var (ids, rest) = preamble(messages)
        var scored: [Range<Int>] = []
        for message in rest {
            let turn = turn(message.role.rawValue, message.content)
            if message.role == .assistant {
                let end = turn.ids.lastIndex(of: endOfTurn) ?? turn.ids.count - 1
                scored.append(ids.count + turn.content..<ids.count + end + 1)
            }
            ids += turn.ids
        }
        if addGenerationPrompt { ids += generationPrompt }
        return Rendered(ids: ids, scored: scored)
    }

    /// The header of an assistant turn.
    public var generationPrompt: [Int32] {
        kind == .chatML
            ? [open] + plain("assistant\n") : [open] + plain("assistant") + [close] + plain("\n\n")
    }

    static func today() -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "dd MMM yyyy"
        return formatter.string(from: Date())
    }
}
