import CircadiaAnalysis
import CircadiaConversation
import CircadiaModel
import CircadiaTraining

/// Renders exchanges as training rows and applies the person's feedback. Rejected replies are never
/// scored; replies that correct one or were called good weigh more.
package struct NightRows {
    let template: ChatTemplate
    /// Tokens at which a row is cut.
    package let limit: Int
    /// The feedback in the log; nil if every reply counts once.
    package let material: NightMaterial?
    /// Ids of held-out exchanges, which must not appear even as context.
    package let heldOut: Set<String>
    /// Whether rows are built as mlx_lm builds them. It trains prompts too, so exchanges with a
    /// rejected reply are left out, and all replies weigh the same.
    package let matchesMLX: Bool

    /// A renderer of rows.
    package init(
        template: ChatTemplate, limit: Int, material: NightMaterial? = nil,
        heldOut: Set<String> = [], matchesMLX: Bool = false
    ) {
        self.template = template
        self.limit = limit
        self.material = material
        self.heldOut = heldOut
        self.matchesMLX = matchesMLX
    }

    /// Builds the rows of exchanges. Also returns the exchanges that they show as context.
    package func rows(
        _ exchanges: [CleanExchange]
    ) -> (rows: [TrainingRow], context: [CleanExchange]) {
        var rows: [TrainingRow] = []
        var context: [CleanExchange] = []
        for exchange in exchanges.map(\.exchange) {
            let lesson = material?.lesson(of: exchange.id)
            let before = lesson.map { self.before(exchange, $0) } ?? []
            let own = self.rows(exchange, lesson, before: before)
            rows += own.rows
            if own.showsBefore { context += before }
        }
        return (rows, context)
    }

    /// The exchanges, the earliest first, whose rejected replies this one corrects. None if one of
    /// them may not be shown, or if the person asked the question again.
    private func before(_ exchange: Exchange, _ lesson: Lesson) -> [CleanExchange] {
        guard !matchesMLX, let kind = lesson.correction?.kind, kind != .askedAgain else {
            return []
        }
        let before = material?.corrected(by: exchange.id) ?? []
        return before.contains { heldOut.contains($0.id) } ? [] : before
    }

    private func rows(
        _ exchange: Exchange, _ lesson: Lesson?, before: [CleanExchange]
    ) -> (rows: [TrainingRow], showsBefore: Bool) {
        let replies = exchange.messages.count { $0.role == .assistant }
        let weights = (0..<replies).map { lesson?.weight(ofReply: $0) ?? 1 }
        let isProse = exchange.tags.contains(Exchange.proseTag)
        if matchesMLX {
            if weights.contains(0) { return ([], false) }
            let row = self.row(
                exchange.id, exchange.messages, weights: weights.map { _ in 1 }, taking: 1,
                isProse: isProse)
            return (row.map { [$0.asInMLX(maxSequenceLength: limit)] } ?? [], false)
        }
        let earlier = before.flatMap(\.exchange.messages)
        var messages = exchange.messages
        if !earlier.isEmpty { messages.removeAll { $0.role == .system } }
        let unscored = [Float](repeating: 0, count: earlier.count { $0.role == .assistant })
        var rows: [TrainingRow] = []
        var showsBefore = false
        for weight in Set(weights).subtracting([0]).sorted() {
            let whole =
                earlier.isEmpty
                ? nil
                : row(
                    exchange.id, earlier + messages, weights: unscored + weights, taking: weight,
                    isWhole: true)
            if whole != nil { showsBefore = true }
            // If the context does not fit, the exchange is learnt without it.
            let plain =
                whole
                ?? row(
                    exchange.id, exchange.messages, weights: weights, taking: weight,
                    isProse: isProse)
            if let plain { rows.append(plain) }
        }
        if showsBefore, let original = original(exchange, before: before, weights: weights) {
            rows.append(original)
        }
        return (rows, showsBefore)
    }

    /// The corrected reply as an answer to the original question; nil if it does not make sense
    /// without the correction.
    private func original(
        _ exchange: Exchange, before: [CleanExchange], weights: [Float]
    ) -> TrainingRow? {
        let spoken = exchange.spokenMessages
        guard spoken.count == 2, spoken[0].role == .user, weights.first ?? 0 > 0,
            OriginalAnswer.isSound(spoken[1].content, afterCorrection: spoken[0].content),
            var messages = before.first?.exchange.messages
        else { return nil }
        while messages.last?.role == .assistant { messages.removeLast() }
        let earlier = messages.count { $0.role == .assistant }
        return row(
            RowID(exchange: exchange.id, part: .originalAnswer).description, messages + [spoken[1]],
            weights: [Float](repeating: 0, count: earlier) + [1], taking: 1, isWhole: true)
    }

    /// One row that scores the replies of weight `weight`; nil if none of their tokens is left, or
    /// if the row would be cut although `isWhole` is true. Prose is rendered without a chat template.
    private func row(
        _ id: String, _ messages: [ChatMessage], weights: [Float], taking weight: Float,
        isWhole: Bool = false, isProse: Bool = false
    ) -> TrainingRow? {
        let rendered =
            isProse
            ? template.render(prose: messages.map(\.content).joined())
            : template.render(messages, addGenerationPrompt: false)
        if isWhole, rendered.ids.count > limit { return nil }
        let ids = Array(rendered.ids.prefix(limit))
        let replies = messages.filter { $0.role == .assistant }
        let scored = zip(zip(replies, weights), rendered.scored).compactMap {
            (reply, range) -> Range<Int>? in
            // The model must not learn to write the marks that replace secrets.
            guard reply.1 == weight, !Redactor.isMarked(reply.0.content) else { return nil }
            let cut = range.clamped(to: 0..<ids.count)
            return cut.isEmpty ? nil : cut
        }
        return scored.isEmpty
            ? nil : TrainingRow(id: id, ids: ids, scored: scored, weight: weight)
    }

    /// Builds a row to measure that scores every reply that was not rejected; nil if there is none.
    package func measured(_ clean: CleanExchange) -> TrainingRow? {
        let exchange = clean.exchange
        let lesson = material?.lesson(of: exchange.id)
        let replies = exchange.messages.count { $0.role == .assistant }
        return row(
            exchange.id, exchange.messages,
            weights: (0..<replies).map { lesson?.weight(ofReply: $0) == 0 ? 0 : 1 }, taking: 1)
    }
}

/// Decides whether the reply to a correction would also fit the original question.
package enum OriginalAnswer {
    /// Whether `reply` makes sense without the correction. It does not if it mentions the
    /// correction, or if the correction is a question.
    package static func isSound(_ reply: String, afterCorrection message: String) -> Bool {
        if message.contains("?") { return false }
        let opening = reply.prefix(90).lowercased().replacingOccurrences(of: "’", with: "'")
        let words = opening.split { !$0.isLetter && $0 != "'" }.map(String.init)
        guard let first = words.first, !acknowledging.contains(first) else { return false }
        return !speaking.contains { opening.contains($0) }
    }

    private static let acknowledging: Set<String> = [
        "sorry", "apologies", "ah", "oh", "oops", "right", "indeed", "understood", "noted",
        "thanks",
        "thank", "yes", "no", "okay", "ok", "sure", "certainly", "absolutely", "of", "got", "quite",
        "then", "corrected", "fixed", "fair", "good",
    ]
    private static let speaking = [
        "apolog", "sorry", "you're right", "you are right", "my mistake", "i see", "instead",
        "this time", "corrected", "revised", "rewritten", "shorter version", "here it is",
        "i misunderstood", "i misread", "thank you for", "thanks for", "i'll ", "i will ",
    ]
}
