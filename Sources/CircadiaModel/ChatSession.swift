import CircadiaTokenizer

/// A conversation with a model: keeps the KV cache across turns, so that only what is new is read.
///
/// Where the context is full, the oldest turns are dropped (the system message stays); a single message
/// that is longer than the context is cut. Neither ever fails.
public final class ChatSession {
    /// What a turn gave.
    public struct Reply: Sendable {
        /// The reply's text.
        public let text: String
        /// Why it ended.
        public let finishReason: FinishReason
        /// Speed and counts.
        public let generation: GenerationResult
        /// Messages that no longer fit and were dropped in this turn.
        public let droppedMessages: Int
        /// Whether this message itself was cut to fit.
        public let isMessageCut: Bool
    }

    private let model: LlamaModel
    private let tokenizer: BPETokenizer
    private let template: ChatTemplate
    private let cache: KVCache
    /// The tokens whose keys and values the cache holds.
    private var cached: [Int32] = []
    private var adapterVersion: Int
    /// The conversation so far, as it is shown to the model.
    public private(set) var messages: [ChatMessage] = []

    /// A new conversation.
    ///
    /// `system`: a system message, or nil for the template's own.
    public init(
        model: LlamaModel, tokenizer: BPETokenizer, template: ChatTemplate, system: String? = nil
    ) {
        self.model = model
        self.tokenizer = tokenizer
        self.template = template
        cache = model.makeCache(capacity: model.configuration.contextLength)
        adapterVersion = model.adapterVersion
        if let system { messages = [ChatMessage(role: .system, content: system)] }
    }

    /// Answers a message.
    ///
    /// - `context`: text put before the message for this turn only, such as memories.
    /// - `onText`: gets the reply piece by piece; false ends it. What was said until then stays in the
    ///   conversation.
    public func reply(
        to message: String, context: String? = nil, options: SamplingOptions,
        onText: (String) -> Bool
    ) -> Reply {
        if model.adapterVersion != adapterVersion {
            adapterVersion = model.adapterVersion
            cache.truncate(to: 0)
            cached = []
        }
        var content = context.map { "\($0)\n\n\(message)" } ?? message
        let room = max(1, cache.capacity - min(options.maxTokens, cache.capacity / 2))
        var dropped = 0
        var isCut = false
        var ids = render(content)
        while ids.count > room {
            let first = messages.first?.role == .system ? 1 : 0
            if messages.count > first {
                // A question goes together with its answer.
                messages.remove(at: first)
                dropped += 1
                if messages.count > first, messages[first].role == .assistant {
                    messages.remove(at: first)
                    dropped += 1
                }
            } else {
                let shorter = content.count * room / (ids.count + 16)
                guard shorter > 0, shorter < content.count else { break }
                content = String(content.suffix(shorter))
                isCut = true
            }
            ids = render(content)
        }
        if ids.count > room { ids = Array(ids.suffix(room)) }

        // The common beginning is in the cache already; at least one token has to be read anew.
        var shared = 0
        while shared < min(cached.count, ids.count - 1), cached[shared] == ids[shared] { shared += 1 }
        cache.truncate(to: shared)
        let result = model.generate(
            reading: Array(ids[shared...]), after: Array(ids[..<shared]), cache: cache,
            tokenizer: tokenizer, stopTokens: template.stopTokens, options: options, onText: onText)
        cached = Array((ids + result.tokens).prefix(cache.count))
        messages.append(ChatMessage(role: .user, content: message))
        messages.append(ChatMessage(role: .assistant, content: result.text))
        return Reply(
            text: result.text, finishReason: result.finishReason, generation: result,
            droppedMessages: dropped, isMessageCut: isCut)
    }

    private func render(_ content: String) -> [Int32] {
        template.render(
            messages + [ChatMessage(role: .user, content: content)], addGenerationPrompt: true
        ).ids
    }
}
