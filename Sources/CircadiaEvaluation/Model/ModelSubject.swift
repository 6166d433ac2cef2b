import CircadiaConversation
import CircadiaModel
import CircadiaTokenizer
import Foundation

/// A model that sits the harness through its chat template.
package struct ModelSubject: HarnessSubject {
    private let model: AdaptedModel
    private let tokenizer: BPETokenizer
    private let template: ChatTemplate

    /// A subject.
    ///
    /// - Parameters:
    ///   - model: what is judged, its adapter included.
    ///   - tokenizer: the model's own.
    ///   - template: the model's own, with a pinned date, so that runs of different days compare.
    package init(model: AdaptedModel, tokenizer: BPETokenizer, template: ChatTemplate) {
        self.model = model
        self.tokenizer = tokenizer
        self.template = template
    }

    /// Generates a reply with temperature 0, up to the end of the turn.
    package func reply(to messages: [ChatMessage], maxTokens: Int) throws -> String {
        let prompt = template.render(messages, addGenerationPrompt: true).ids
        return try model.generate(
            prompt: prompt, tokenizer: tokenizer, stopTokens: template.stopTokens,
            options: .greedy(maxTokens: maxTokens)
        ).text
    }

    /// Scores each option; the conversation before it is read once.
    ///
    /// The end of the turn does not count: a model that has learnt to add a farewell to each reply
    /// would find all bare options unlikely there, and most of all the short ones. Exact, whatever
    /// the model's own precision: 8-bit activations move a short option by up to 0.4 nats.
    package func likelihoods(
        of options: [String], after messages: [ChatMessage]
    ) throws -> [Double] {
        let replies = options.map { option -> (prefix: [Int32], reply: [Int32]) in
            let whole = template.render(
                messages + [ChatMessage(role: .assistant, content: option)],
                addGenerationPrompt: false)
            let range = whole.scored.last ?? whole.ids.count..<whole.ids.count
            let reply = whole.ids[range]
            return (
                Array(whole.ids[..<range.lowerBound]),
                Array(reply.last == template.endOfTurn ? reply.dropLast() : reply)
            )
        }
        guard let prefix = replies.first?.prefix, !prefix.isEmpty else { return [] }
        let longest = replies.map(\.reply.count).max() ?? 0
        let limit = model.configuration.contextLength
        guard prefix.count + longest <= limit else {
            throw ModelError.promptTooLong(
                tokens: prefix.count + longest, contextLength: limit)
        }
        let model = model.with(precision: .exact)
        let cache = model.makeCache(capacity: prefix.count + longest)
        // The model's logits are valid until its next call, so the first row is kept.
        let first = Array(model.forward(prefix, cache: cache, logits: .last).values)
        return replies.map { option in
            guard let start = option.reply.first else { return -Double.infinity }
            var sum = first.withUnsafeBufferPointer { Self.logProbability(of: start, in: $0) }
            if option.reply.count > 1 {
                let logits = model.forward(
                    Array(option.reply.dropLast()), cache: cache, logits: .all)
                for row in 1..<option.reply.count {
                    sum += Self.logProbability(
                        of: option.reply[row], in: UnsafeBufferPointer(logits[row - 1]))
                }
                cache.truncate(to: prefix.count)
            }
            return sum / Double(option.reply.count)
        }
    }

    /// `ln softmax(logits)[token]`, summed in f64.
    static func logProbability(
        of token: Int32, in logits: UnsafeBufferPointer<Float>
    ) -> Double {
        var largest = -Float.infinity
        for value in logits where value > largest { largest = value }
        var sum = 0.0
        for value in logits { sum += Double(exp(value - largest)) }
        return Double(logits[Int(token)] - largest) - log(sum)
    }
}
