import CircadiaAnalysis
import CircadiaConversation
import CircadiaModel
import CircadiaTokenizer
import Foundation

/// Lets the model rephrase a person's messages. The paraphrases train with the original replies, so
/// that the model learns a habit from more than one phrasing.
package struct Paraphraser {
    /// The result of paraphrasing.
    package struct Outcome: Sendable {
        /// Exchanges with the tag `synthetic`; their ids have the part `RowID.Part.paraphrase`.
        package var exchanges: [CleanExchange] = []
        /// Refused paraphrases, by reason.
        package var refused: [ParaphraseCheck.Refusal: Int] = [:]
    }

    let model: AdaptedModel
    let tokenizer: BPETokenizer
    let template: ChatTemplate
    let seed: UInt64

    /// A paraphraser that uses `model`, which should be the base model.
    package init(
        model: AdaptedModel, tokenizer: BPETokenizer, template: ChatTemplate, seed: UInt64
    ) {
        self.model = model
        self.tokenizer = tokenizer
        self.template = template
        self.seed = seed
    }

    /// Tries one paraphrase of each exchange, in an order drawn from the seed, until `limit` are good.
    ///
    /// `isCancelled` is called before each; `progress` receives the number of good and of tried
    /// ones. Throws `ModelError`.
    package func paraphrases(
        of exchanges: [CleanExchange], limit: Int, isCancelled: () -> Bool = { false },
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> Outcome {
        var outcome = Outcome()
        // One question and one answer, short enough for a small model.
        let candidates = exchanges.map(\.exchange).filter {
            $0.messages.count == 2 && $0.messages[0].role == .user
                && (12...280).contains($0.messages[0].content.count)
        }.sorted {
            StableHash.of("\(seed)/\($0.id)") < StableHash.of("\(seed)/\($1.id)")
        }
        for (index, exchange) in candidates.enumerated() {
            guard outcome.exchanges.count < limit, !isCancelled() else { break }
            let original = exchange.messages[0].content
            let text = try ask(for: original, number: index)
            if let refusal = ParaphraseCheck.refusal(of: text, for: original) {
                outcome.refused[refusal, default: 0] += 1
            } else {
                var messages = exchange.messages
                messages[0].content = text
                outcome.exchanges.append(
                    CleanExchange(
                        cleaning: Exchange(
                            id: RowID(exchange: exchange.id, part: .paraphrase).description,
                            timestamp: exchange.timestamp, session: exchange.session,
                            messages: messages, tags: [Exchange.syntheticTag])))
            }
            progress(outcome.exchanges.count, index + 1)
        }
        return outcome
    }

    private func ask(for message: String, number: Int) throws -> String {
        let prompt = template.render(
            [
                ChatMessage(
                    role: .system,
                    content: "You rewrite questions in other words. You answer with the new "
                        + "question only."),
                ChatMessage(role: .user, content: "How do I get to the station by bus?"),
                ChatMessage(role: .assistant, content: "Which bus takes me to the station?"),
                ChatMessage(role: .user, content: message),
            ], addGenerationPrompt: true)
        var sampling = SamplingOptions()
        sampling.temperature = 0.6
        sampling.topP = 0.9
        sampling.seed = seed &+ UInt64(number)
        sampling.maxTokens = 96
        let result = try model.generate(
            prompt: prompt.ids, tokenizer: tokenizer, stopTokens: template.stopTokens,
            options: sampling)
        return result.text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
