import CircadiaConversation
import CircadiaTemplates
import CircadiaTokenizer
import Foundation

/// Turns a chat into the tokens that the model was trained to see.
///
/// The format is recognised from the model's own template text, which is not interpreted. Control
/// tokens are placed by id; what lies between two of them is encoded as one stretch of plain text,
/// so `<|im_end|>` in a message stays text and cannot end a turn.
package struct ChatTemplate: Sendable {
    /// A chat as tokens.
    package struct Rendered: Sendable, Equatable {
        /// All tokens, in order.
        package var ids: [Int32]
        /// The tokens to learn and to measure: for each assistant turn, from the first token after
        /// the header up to and including the end of the turn.
        package var scored: [Range<Int>]

        /// A rendered chat.
        package init(ids: [Int32], scored: [Range<Int>]) {
            self.ids = ids
            self.scored = scored
        }
    }

    let tokenizer: BPETokenizer
    let format: ChatFormat
    private let begin: Int32?
    private let headerStart: Int32
    private let headerEnd: Int32?
    /// The token that ends a turn, and a reply.
    package let endOfTurn: Int32
    /// The tokens that end generation.
    package let stopTokens: Set<Int32>
    /// The date in the system block ("26 Jul 2024"), or nil for formats without one.
    package var dateString: String? {
        if case .llama3(let date) = format { date } else { nil }
    }

    /// Reads the template of the model in `directory`: `chat_template.jinja`, or `chat_template`
    /// in `tokenizer_config.json`. Without either, the special tokens of Llama 3 mean Llama 3.2.
    ///
    /// - Parameters:
    ///   - directory: the model's directory.
    ///   - tokenizer: the model's tokenizer.
    ///   - dateString: what templates with a date show, as `26 Jul 2024`. Nil means today as the
    ///     template would write it; then rendered text differs from day to day, so training and
    ///     comparisons give a date.
    /// - Throws: if the template is unknown, or its control tokens are missing.
    package init(
        directory: URL, tokenizer: BPETokenizer, dateString: String? = nil
    ) throws(TemplateError) {
        let found = try TemplateText.find(in: directory)
        let format: ChatFormat
        if let found {
            format = try ChatFormat.recognised(in: found, dateString: dateString)
        } else if Self.hasLlama3Tokens(tokenizer) {
            format = .llama3(date: dateString ?? ChatFormat.today())
        } else {
            throw .missingTemplate(directory: directory.path)
        }
        try self.init(format: format, tokenizer: tokenizer, directory: directory.path)
    }

    init(
        format: ChatFormat, tokenizer: BPETokenizer, directory: String
    ) throws(TemplateError) {
        func token(_ text: String, _ template: String) throws(TemplateError) -> Int32 {
            if let id = tokenizer.id(of: text) { return id }
            throw .missingControlToken(directory: directory, template: template, token: text)
        }
        self.tokenizer = tokenizer
        self.format = format
        let otherStops: [String]
        switch format {
        case .chatML:
            begin = nil
            headerStart = try token("<|im_start|>", "ChatML")
            headerEnd = nil
            endOfTurn = try token("<|im_end|>", "ChatML")
            otherStops = ["<|endoftext|>"]
        case .llama3:
            begin = try token("<|begin_of_text|>", "Llama 3")
            headerStart = try token("<|start_header_id|>", "Llama 3")
            headerEnd = try token("<|end_header_id|>", "Llama 3")
            endOfTurn = try token("<|eot_id|>", "Llama 3")
            otherStops = ["<|end_of_text|>", "<|eom_id|>"]
        }
        stopTokens = Set([endOfTurn] + otherStops.compactMap { tokenizer.id(of: $0) })
    }

    private static func hasLlama3Tokens(_ tokenizer: BPETokenizer) -> Bool {
        ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
            .allSatisfy { tokenizer.id(of: $0) != nil }
    }

    // MARK: Rendering

    /// The tokens of a chat from its beginning.
    ///
    /// Appending messages never changes the tokens before them, except where a prompt was added.
    ///
    /// - Parameters:
    ///   - messages: the whole chat; a system message may come first.
    ///   - addGenerationPrompt: whether the header of a reply follows the last message.
    /// - Returns: the tokens, and which of them the model says.
    package func render(_ messages: [ChatMessage], addGenerationPrompt: Bool) -> Rendered {
        var rendered = Rendered(ids: begin.map { [$0] } ?? [], scored: [])
        var messages = messages[...]
        switch format {
        case .chatML(let defaultSystem?) where messages.first.map { $0.role != .system } ?? false:
            append(ChatMessage(role: .system, content: defaultSystem), to: &rendered)
        case .llama3(let date?):
            var system = ""
            if let first = messages.first, first.role == .system {
                system = first.content.trimmedLikePython
                messages.removeFirst()
            }
            let block = "Cutting Knowledge Date: December 2023\nToday Date: \(date)\n\n"
            appendTurn("system", block + system, to: &rendered)
        default: break
        }
        for message in messages { append(message, to: &rendered) }
        if addGenerationPrompt { rendered.ids += generationPrompt }
        return rendered
    }

    /// The tokens of running text that is no chat, all of them to be predicted. Before them comes the
    /// token that begins every text of the model, if it has one.
    package func render(prose text: String) -> Rendered {
        let opening = begin.map { [$0] } ?? []
        let ids = opening + tokenizer.encode(text, special: .plain)
        return Rendered(ids: ids, scored: [opening.count..<ids.count])
    }

    /// The tokens that continue a chat after a reply whose tokens are already in the model's
    /// cache: the end of that turn if it is missing, then `messages`.
    ///
    /// - Parameters:
    ///   - messages: what comes after the reply; no preamble is added.
    ///   - afterEndOfTurn: whether the cache ends with `endOfTurn`. A reply that was cut, or whose
    ///     last token was never fed to the model, has none; it is closed first.
    ///   - addGenerationPrompt: whether the header of the next reply follows.
    /// - Returns: the tokens to feed after those in the cache.
    package func continuation(
        _ messages: [ChatMessage], afterEndOfTurn: Bool, addGenerationPrompt: Bool = true
    ) -> [Int32] {
        var rendered = Rendered(ids: afterEndOfTurn ? [] : [endOfTurn], scored: [])
        rendered.ids += betweenTurns
        for message in messages { append(message, to: &rendered) }
        if addGenerationPrompt { rendered.ids += generationPrompt }
        return rendered.ids
    }

    /// The header of a reply.
    package var generationPrompt: [Int32] { header("assistant") + plain(headerBreak) }

    /// What stands between the header's last control token and the content.
    private var headerBreak: String {
        switch format {
        case .chatML: "assistant\n"
        case .llama3: "\n\n"
        }
    }

    /// What follows the end of a turn.
    private var betweenTurns: [Int32] {
        switch format {
        case .chatML: plain("\n")
        case .llama3: []
        }
    }

    /// The control tokens of a header and, if they enclose it, the role.
    private func header(_ role: String) -> [Int32] {
        guard let headerEnd else { return [headerStart] }
        return [headerStart] + plain(role) + [headerEnd]
    }

    private func plain(_ text: String) -> [Int32] { tokenizer.encode(text, special: .plain) }

    private func append(_ message: ChatMessage, to rendered: inout Rendered) {
        let content: String
        switch format {
        case .chatML: content = message.content
        case .llama3: content = message.content.trimmedLikePython
        }
        let start = rendered.ids.count
        appendTurn(message.role.rawValue, content, to: &rendered)
        guard message.role == .assistant else { return }
        // Content that starts with a line break may share a token with the header; the turn then
        // starts where it would after a prompt, as in everyone's bookkeeping.
        let end = rendered.ids.count - betweenTurns.count
        rendered.scored.append(min(start + generationPrompt.count, end - 1)..<end)
    }

    private func appendTurn(_ role: String, _ content: String, to rendered: inout Rendered) {
        rendered.ids += header(role)
        switch format {
        case .chatML: rendered.ids += plain(role + "\n" + content)
        case .llama3: rendered.ids += plain("\n\n" + content)
        }
        rendered.ids.append(endOfTurn)
        rendered.ids += betweenTurns
    }
}
