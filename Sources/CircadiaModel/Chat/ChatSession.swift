import CircadiaConversation
import CircadiaKernels
import CircadiaTokenizer

/// A conversation with a model that keeps what it has read.
///
/// The tokens of the conversation are kept as they were generated, and the `KVCache` with them, so
/// that a turn reads its own tokens only. Where the context is full, the oldest turns are left out.
package final class ChatSession {
    /// The model that answers, with its adapter.
    package private(set) var model: AdaptedModel
    /// Tokens that prompt and reply may take together.
    package let contextLength: Int
    /// The system message, or nil for the template's own.
    package let system: String?

    let tokenizer: BPETokenizer
    let template: ChatTemplate
    /// What was said, oldest first; turns that no longer fit are gone.
    var turns: [Turn] = []
    /// The tokens of `turns`, as they were read or generated, closed by the end-of-turn token; empty
    /// where they have to be rendered anew.
    var history: [Int32] = []
    /// Text from outside the conversation that replies may quote, such as earlier chats: guesses of
    /// lookup decoding come from there too. Replies are the same with and without.
    package var quotable: [Int32] = []
    /// The tokens whose keys and values are in the cache.
    private var cached: [Int32] = []
    private let cache: KVCache

    /// A message with the memories that were shown to the model in front of it.
    struct Turn {
        var message: ChatMessage
        var context: String?
    }

    /// Longest context that is used unless one is asked for: it bounds the cache's memory.
    package static let defaultContextLength = 8192

    /// An empty conversation.
    ///
    /// - Parameters:
    ///   - model: with the adapter of the first turns; `apply` changes it between turns.
    ///   - tokenizer: the model's own.
    ///   - template: the model's own.
    ///   - system: a system message, or nil for the template's own.
    ///   - contextLength: nil for the model's, at most `defaultContextLength`.
    package init(
        model: AdaptedModel, tokenizer: BPETokenizer, template: ChatTemplate, system: String? = nil,
        contextLength: Int? = nil
    ) {
        self.model = model
        self.tokenizer = tokenizer
        self.template = template
        self.system = system
        self.contextLength =
            contextLength ?? min(model.configuration.contextLength, Self.defaultContextLength)
        cache = model.makeCache(capacity: self.contextLength)
    }

    /// What was said and is still in the context, without memories, oldest first.
    package var messages: [ChatMessage] { turns.map(\.message) }

    /// Says something and streams the reply.
    ///
    /// - Parameters:
    ///   - message: what the person says.
    ///   - context: memories to show to the model in front of the message; never part of `messages`.
    ///   - options: how tokens are drawn, and how many at most.
    ///   - onText: gets each piece of text, whole characters only; false ends the reply.
    ///   - isCancelled: asked often, also while the prompt is read. A turn that is cancelled before
    ///     its first token leaves no trace.
    /// - Returns: the reply, also where it was cut; the conversation goes on after it either way.
    /// - Throws: `ModelError.contextTooShort`, `.vocabularyMismatch`; the conversation is as before.
    package func reply(
        to message: String, context: String? = nil, options: SamplingOptions,
        onText: (String) -> Bool = { _ in true }, isCancelled: () -> Bool = { false }
    ) throws(ModelError) -> ChatReply {
        try model.check(tokenizer)
        let previous = (turns: turns, history: history)
        turns.append(
            Turn(message: ChatMessage(role: .user, content: message), context: context))
        let prompt: FittedPrompt
        do throws(ModelError) {
            prompt = try fit(reserve: replyReserve(options))
        } catch {
            (turns, history) = previous
            throw error
        }

        let known = min(commonPrefix(prompt.ids, cached), prompt.ids.count - 1)
        cache.truncate(to: known)
        var decoder = tokenizer.makeStreamDecoder(skippingSpecial: true)
        var text = ""
        let run = model.generateTokens(
            prompt: prompt.ids[known...], history: prompt.ids[..<known],
            quotable: quotable, cache: cache,
            stopTokens: template.stopTokens, options: options,
            onToken: { token in
                let piece = decoder.append(token)
                text += piece
                return piece.isEmpty || onText(piece)
            }, isCancelled: isCancelled)
        let tail = decoder.finish()
        if !tail.isEmpty {
            text += tail
            _ = onText(tail)
        }

        cached = Array((prompt.ids + run.tokens).prefix(cache.count))
        if run.finishReason == .cancelled && run.tokens.isEmpty {
            (turns, history) = previous
        } else {
            turns.append(Turn(message: ChatMessage(role: .assistant, content: text)))
            history = prompt.ids + run.tokens + closing()
        }
        return ChatReply(
            generation: GenerationResult(run: run, text: text), reusedTokens: known,
            droppedMessages: prompt.droppedMessages, isMessageCut: prompt.isMessageCut,
            isContextDropped: prompt.isContextDropped)
    }

    /// Starts over with an empty conversation.
    package func reset() {
        turns = []
        history = []
        forgetCache()
    }

    /// Goes on after `messages`, whoever said them; what the cache has of them is not read again.
    package func resume(_ messages: [ChatMessage]) {
        guard messages != self.messages else { return }
        turns = messages.map { Turn(message: $0) }
        history = []
    }

    /// Goes on with another adapter, or without one. What was said stays; the model reads it again.
    package func apply(_ adapter: LoRAAdapter?) {
        model = model.with(adapter)
        forgetCache()
    }

    /// Forgets keys and values, not what was said.
    private func forgetCache() {
        cache.truncate(to: 0)
        cached = []
    }

    /// The tokens that end the last reply: the end-of-turn token, which a cut reply lacks and a
    /// complete one has not read, and what the template puts after it.
    private func closing() -> [Int32] {
        let rendered = template.render(promptMessages(turns), addGenerationPrompt: false)
        guard let end = rendered.scored.last?.upperBound else { return [template.endOfTurn] }
        return [template.endOfTurn] + rendered.ids[end...]
    }

    /// Tokens of the context that are kept free for the reply.
    private func replyReserve(_ options: SamplingOptions) -> Int {
        max(1, min(options.maxTokens, contextLength / 4))
    }

    private func commonPrefix(_ first: [Int32], _ second: [Int32]) -> Int {
        zip(first, second).prefix { $0 == $1 }.count
    }
}
