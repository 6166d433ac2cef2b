import CircadiaConversation

/// One task of the capability harness: a prompt and what makes its reply right.
package struct HarnessPrompt: Sendable, Equatable {
    /// What a prompt asks the model to be good at.
    package enum Category: String, Codable, CaseIterable, Sendable {
        case math, reasoning, factual, format, summarization, style, context
    }

    /// How a reply is judged.
    package enum Judge: Sendable, Equatable {
        case containsAny(ContainsAnyScorer)
        case regex(RegexScorer)
        case numeric(NumericScorer)
        case jsonKeys(JSONKeysScorer)
        case formatBullets(BulletScorer)
        /// By likelihood; nothing is generated.
        case multipleChoice(MultipleChoice)

        /// The scorer of a written reply; nil for a multiple choice.
        package var scorer: (any Scorer)? {
            switch self {
            case .containsAny(let scorer): scorer
            case .regex(let scorer): scorer
            case .numeric(let scorer): scorer
            case .jsonKeys(let scorer): scorer
            case .formatBullets(let scorer): scorer
            case .multipleChoice: nil
            }
        }
    }

    /// Tokens that a reply may have where the prompt does not say.
    package static let defaultMaxTokens = 48

    /// Names the prompt in results; unique in its file.
    package let id: String
    /// The category that it counts for.
    package let category: Category
    /// The conversation to reply to; the last message is the user's.
    package let messages: [ChatMessage]
    /// How the reply is judged.
    package let judge: Judge
    /// Tokens of a reply at most.
    package let maxTokens: Int

    /// Makes a prompt.
    package init(
        id: String, category: Category, messages: [ChatMessage], judge: Judge,
        maxTokens: Int = defaultMaxTokens
    ) {
        self.id = id
        self.category = category
        self.messages = messages
        self.judge = judge
        self.maxTokens = maxTokens
    }
}
