/// A reply of a chat and what it took.
public struct ChatReply: Sendable, Equatable {
    /// Text, timings and why it ended. `promptTokens` counts the tokens that were newly read.
    public var generation: GenerationResult
    /// Tokens of the prompt that were in the cache already.
    public var reusedTokens: Int
    /// Messages that left the context because it was full, oldest first; they stay in the log.
    public var droppedMessages: Int
    /// Whether the message was longer than the context, so that its middle was left out.
    public var isMessageCut: Bool
    /// Whether there was no room for the memories that were to be shown.
    public var isContextDropped: Bool

    /// The text, without stop tokens.
    public var text: String { generation.text }
    /// Why it ended.
    public var finishReason: FinishReason { generation.finishReason }
}
