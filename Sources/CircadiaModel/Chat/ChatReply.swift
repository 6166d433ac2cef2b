/// A reply of a chat and what it took.
package struct ChatReply: Sendable, Equatable {
    /// Text, timings and why it ended. `promptTokens` counts the tokens that were newly read.
    package var generation: GenerationResult
    /// Tokens of the prompt that were in the cache already.
    package var reusedTokens: Int
    /// Messages that left the context because it was full, oldest first; they stay in the log.
    package var droppedMessages: Int
    /// Whether the message was longer than the context, so that its middle was left out.
    package var isMessageCut: Bool
    /// Whether there was no room for the memories that were to be shown.
    package var isContextDropped: Bool

    /// The text, without stop tokens.
    package var text: String { generation.text }
    /// Why it ended.
    package var finishReason: FinishReason { generation.finishReason }
}
