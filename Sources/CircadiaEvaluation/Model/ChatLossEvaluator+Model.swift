import CircadiaModel

extension ChatLossEvaluator {
    /// An evaluator of `model` with its adapter.
    ///
    /// - Parameters:
    ///   - model: reads each exchange by itself, cut to its context length.
    ///   - template: the model's own, with a pinned date, so that figures of different days compare.
    package init(model: AdaptedModel, template: ChatTemplate) {
        self.init { messages in
            let rendered = template.render(messages, addGenerationPrompt: false)
            let ids = Array(rendered.ids.prefix(model.configuration.contextLength))
            let scored = rendered.scored.map { $0.clamped(to: 0..<ids.count) }
                .filter { !$0.isEmpty }
            return model.loss(of: ids, scored: scored)
        }
    }
}
