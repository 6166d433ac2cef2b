import CircadiaModel
import CircadiaTokenizer

/// A model that sits the harness: greedy replies through its chat template.
public struct ModelSubject: HarnessSubject {
    private let model: LlamaModel
    private let tokenizer: BPETokenizer
    private let template: ChatTemplate

    /// A subject; the model's adapter, where it has one, takes part.
    public init(model: LlamaModel, tokenizer: BPETokenizer, template: ChatTemplate) {
        self.model = model
        self.tokenizer = tokenizer
        self.template = template
    }

    /// The greedy reply to `messages`.
    public func reply(to messages: [ChatMessage], maxTokens: Int) throws -> String {
        try model.generate(
            prompt: template.render(messages, addGenerationPrompt: true).ids, tokenizer: tokenizer,
            stopTokens: template.stopTokens, options: .greedy(maxTokens: maxTokens)
        ).text
    }

    /// Mean log-likelihood of each option as the whole reply, end of turn included.
    public func likelihoods(of options: [String], after messages: [ChatMessage]) -> [Double] {
        options.map { option in
            let rendered = template.render(
                messages + [ChatMessage(role: .assistant, content: option)],
                addGenerationPrompt: false)
            return -model.loss(of: rendered.ids, scored: rendered.scored.suffix(1)).mean
        }
    }
}

extension ChatLossEvaluator {
    /// Measures a model: all assistant turns of each exchange, read in one pass.
    public init(model: LlamaModel, template: ChatTemplate) {
        self.init { messages in
            let rendered = template.render(messages, addGenerationPrompt: false)
            let limit = model.configuration.contextLength
            let ids = Array(rendered.ids.prefix(limit))
            let scored = rendered.scored.map { $0.clamped(to: 0..<ids.count) }
            return model.loss(of: ids, scored: scored.filter { !$0.isEmpty })
        }
    }
}
