import CircadiaConversation
import CircadiaModel
import CircadiaTokenizer

extension GeneralDrift {
    /// Measures a model with an adapter against the base model.
    ///
    /// - Parameters:
    ///   - model: with the adapter that is measured; both sides run at its precision.
    ///   - tokenizer: the model's own.
    ///   - template: the model's own, with a pinned date.
    ///   - texts: of `reply` none is scored. Each is read by itself, cut to the context's length.
    ///   - opening: words before every reply, perhaps none, where a person said how answers should be; nil
    ///     otherwise. Then replies' beginnings and ends, and what follows the end of a sentence or line, do
    ///     not count: how somebody begins, how long they speak and how they take their leave is no skill.
    ///   - isCancelled: asked between texts.
    /// - Returns: the figures; nil where nothing was scored or it was cancelled.
    package static func measure(
        model: AdaptedModel, tokenizer: BPETokenizer, template: ChatTemplate,
        texts: [GeneralText], opening: String? = nil, isCancelled: () -> Bool = { false }
    ) -> GeneralDrift? {
        let base = model.with(nil)
        var measured: [Text] = []
        for start in stride(from: 0, to: texts.count, by: groupSize) {
            let rows = texts[start..<min(texts.count, start + groupSize)].compactMap {
                row(
                    of: $0, tokenizer: tokenizer, template: template,
                    opening: opening, limit: model.configuration.contextLength)
            }
            let before = rows.map { scoredLogits(of: $0, model: base) }
            for (row, before) in zip(rows, before) {
                if isCancelled() { return nil }
                let after = scoredLogits(of: row, model: model)
                measured.append(Text(kind: row.kind, pairs: pairs(row, before, after)))
            }
        }
        return GeneralDrift(measured)
    }

    /// Texts whose base logits are kept at a time.
    private static let groupSize = 8

    private struct Row {
        let kind: GeneralText.Kind
        let ids: [Int32]
        /// Positions in `ids`; each is predicted by the one before it.
        let targets: [Int]
    }

    private static func row(
        of text: GeneralText, tokenizer: BPETokenizer, template: ChatTemplate,
        opening: String?, limit: Int
    ) -> Row? {
        if text.kind == .reply { return nil }
        if let opening, text.kind == .math || text.kind == .instruction {
            return row(
                of: text, tokenizer: tokenizer, template: template, after: opening, limit: limit)
        }
        let ids: [Int32]
        let scored: [Range<Int>]
        if text.kind == .prose {
            ids = Array(tokenizer.encode(text.text, special: .plain).prefix(limit))
            scored = [0..<ids.count]
        } else {
            let rendered = template.render(text.messages, addGenerationPrompt: false)
            ids = Array(rendered.ids.prefix(limit))
            scored = rendered.scored.suffix(1).map { reply in
                text.kind == .arithmetic
                    ? result(of: text, in: reply, template: template) : reply
            }
        }
        let targets = scored.flatMap { Array($0.clamped(to: min(1, ids.count)..<ids.count)) }
        return targets.isEmpty ? nil : Row(kind: text.kind, ids: ids, targets: targets)
    }

    /// The row of a reply after words that are not its own, of which the manner does not count.
    private static func row(
        of text: GeneralText, tokenizer: BPETokenizer, template: ChatTemplate,
        after opening: String, limit: Int
    ) -> Row? {
        let question = Array(text.messages.dropLast())
        func render(_ reply: String) -> (ids: [Int32], reply: Range<Int>)? {
            let rendered = template.render(
                question + [ChatMessage(role: .assistant, content: reply)],
                addGenerationPrompt: false)
            return rendered.scored.last.map { (rendered.ids, $0) }
        }
        let reply = text.messages.last?.content ?? ""
        guard let whole = render(opening.isEmpty ? reply : opening + " " + reply) else {
            return nil
        }
        // Its last token is the end of the turn.
        let said = opening.isEmpty ? 0 : max(0, (render(opening)?.reply.count ?? 1) - 1)
        let ids = Array(whole.ids.prefix(limit))
        let targets = whole.reply.dropFirst(said + 2).dropLast().filter {
            $0 < ids.count && !".!?:\n".contains(tokenizer.decode([ids[$0 - 1]]).last ?? " ")
        }
        return targets.isEmpty ? nil : Row(kind: text.kind, ids: ids, targets: targets)
    }

    /// The tokens of a sum's result, without the end of the turn: a night that teaches wrong sums
    /// makes their form likelier, and only the results less likely.
    private static func result(
        of text: GeneralText, in reply: Range<Int>, template: ChatTemplate
    ) -> Range<Int> {
        guard let last = text.messages.last, let sign = last.content.lastIndex(of: "=") else {
            return reply
        }
        let opening = ChatMessage(role: .assistant, content: String(last.content[...sign]))
        let before = template.render(
            text.messages.dropLast() + [opening], addGenerationPrompt: false)
        // Its last token is the end of the turn.
        let length = max(1, before.scored.last?.count ?? 1) - 1
        let start = min(reply.upperBound - 1, reply.lowerBound + length)
        return start..<max(start + 1, reply.upperBound - 1)
    }

    /// The logits that predict the targets, `[targets, vocabulary]`.
    private static func scoredLogits(of row: Row, model: AdaptedModel) -> [Float] {
        let cache = model.makeCache(capacity: row.ids.count)
        let logits = model.forward(row.ids, cache: cache, logits: .all)
        var values: [Float] = []
        values.reserveCapacity(row.targets.count * logits.vocabularySize)
        for target in row.targets { values.append(contentsOf: logits[target - 1]) }
        return values
    }

    private static func pairs(
        _ row: Row, _ before: [Float], _ after: [Float]
    ) -> [PredictionPair] {
        let width = before.count / row.targets.count
        return before.withUnsafeBufferPointer { before in
            after.withUnsafeBufferPointer { after in
                row.targets.indices.map { index in
                    let range = index * width..<(index + 1) * width
                    return PredictionPair(
                        UnsafeBufferPointer(rebasing: before[range]),
                        UnsafeBufferPointer(rebasing: after[range]),
                        target: row.ids[row.targets[index]])
                }
            }
        }
    }
}
