import CircadiaMemory
import CircadiaTokenizer
import CircadiaTraining
import Foundation

/// The rows of a night: what is trained, what is only measured.
public struct NightDataset: Sendable {
    /// Rows of the person's exchanges, of paraphrases and of general pairs.
    public internal(set) var training: [TrainingRow]
    /// Rows of the held-out conversations.
    public internal(set) var heldOut: [TrainingRow]
    /// Scored tokens of the training rows.
    public var scoredTokens: Int { training.reduce(0) { $0 + $1.scoredCount } }
    /// All tokens of the training rows.
    public var totalTokens: Int { training.reduce(0) { $0 + $1.ids.count } }

    /// Renders exchanges with the model's template and keeps those that have something to learn.
    ///
    /// - Parameters:
    ///   - training: exchanges and paraphrases to learn.
    ///   - general: general pairs to rehearse.
    ///   - generalKeepsBase: whether the general pairs keep to the base model's predictions
    ///     rather than to their answers.
    ///   - heldOut: exchanges to measure.
    ///   - template: with a pinned date, so that the same exchange is the same row every night.
    ///   - maxSequenceLength: tokens at which a row is cut.
    ///   - matchesMLX: whether training rows are cut and scored as mlx_lm does it.
    public init(
        training: [Exchange], general: [Exchange], generalKeepsBase: Bool, heldOut: [Exchange],
        template: ChatTemplate, maxSequenceLength: Int, matchesMLX: Bool = false
    ) {
        var rehearsed = Self.rows(general, template: template, limit: maxSequenceLength)
        for index in rehearsed.indices { rehearsed[index].keepsBase = generalKeepsBase }
        let rows = Self.rows(training, template: template, limit: maxSequenceLength) + rehearsed
        self.training =
            matchesMLX ? rows.map { $0.asInMLX(maxSequenceLength: maxSequenceLength) } : rows
        self.heldOut = Self.rows(heldOut, template: template, limit: maxSequenceLength)
    }

    static func rows(
        _ exchanges: [Exchange], template: ChatTemplate, limit: Int
    ) -> [TrainingRow] {
        exchanges.compactMap { exchange in
            let rendered = template.render(exchange.messages, addGenerationPrompt: false)
            let ids = Array(rendered.ids.prefix(limit))
            let replies = exchange.messages.filter { $0.role == .assistant }
            let scored = zip(replies, rendered.scored).compactMap { reply, range -> Range<Int>? in
                // The mark in a secret's place is no way of speaking.
                if Redactor.isMarked(reply.content) { return nil }
                let cut = range.clamped(to: 0..<ids.count)
                return cut.isEmpty ? nil : cut
            }
            return scored.isEmpty
                ? nil : TrainingRow(id: exchange.id, ids: ids, scored: scored)
        }
    }
}

extension TrainingRow {
    /// The tokens whose loss counts. The first token of a row has nothing before it to be
    /// predicted from.
    var scoredCount: Int {
        scored.reduce(0) { $0 + $1.count - ($1.lowerBound == 0 ? 1 : 0) }
    }
}
