import CircadiaConversation

/// A prompt that leaves room for a reply, and what it took to make it so.
struct FittedPrompt {
    var ids: [Int32]
    var droppedMessages = 0
    var isMessageCut = false
    var isContextDropped = false
}

extension ChatSession {
    /// What the model reads: the system message, then the turns with their memories.
    func promptMessages(_ turns: some Sequence<Turn>) -> [ChatMessage] {
        let spoken = turns.map { turn in
            guard let context = turn.context else { return turn.message }
            return ChatMessage(
                role: turn.message.role, content: context + "\n\n" + turn.message.content)
        }
        guard let system else { return spoken }
        return [ChatMessage(role: .system, content: system)] + spoken
    }

    /// The prompt for a reply to the last turn, shortened until `reserve` tokens are free.
    ///
    /// First go the memories of earlier turns, then the oldest turns, then the memories of this
    /// turn, and at last the middle of the message itself. Once something
    /// has to go, a quarter of the context is freed at once, because everything after the gap has
    /// to be read again.
    ///
    /// - Throws: `ModelError.contextTooShort`.
    func fit(reserve: Int) throws(ModelError) -> FittedPrompt {
        let limit = contextLength - reserve
        var prompt = FittedPrompt(ids: continuedIDs())
        if prompt.ids.count <= limit { return prompt }

        let target = min(limit, contextLength * 3 / 4)
        history = []
        for index in turns.indices.dropLast() { turns[index].context = nil }
        prompt.ids = renderedIDs()
        while prompt.ids.count > target, turns.count > 1 {
            let next = turns.dropFirst().firstIndex { $0.message.role == .user } ?? turns.count - 1
            prompt.droppedMessages += next
            turns.removeFirst(next)
            prompt.ids = renderedIDs()
        }
        if prompt.ids.count > limit, turns.last?.context != nil {
            turns[turns.count - 1].context = nil
            prompt.isContextDropped = true
            prompt.ids = renderedIDs()
        }
        if prompt.ids.count > limit {
            prompt.isMessageCut = true
            prompt.ids = try cutMessage(limit: limit)
        }
        return prompt
    }

    /// The conversation's tokens as they were, followed by those of the last turn.
    private func continuedIDs() -> [Int32] {
        let whole = renderedIDs()
        guard !history.isEmpty else { return whole }
        let before = template.render(
            promptMessages(turns.dropLast()), addGenerationPrompt: false
        ).ids
        // A template whose earlier turns depend on later ones has to be read again.
        guard whole.starts(with: before) else { return whole }
        return history + whole[before.count...]
    }

    private func renderedIDs() -> [Int32] {
        template.render(promptMessages(turns), addGenerationPrompt: true).ids
    }

    /// Shortens the only message left until the prompt has at most `limit` tokens.
    private func cutMessage(limit: Int) throws(ModelError) -> [Int32] {
        let last = turns.count - 1
        let whole = turns[last].message.content
        let ids = tokenizer.encode(whole, special: .plain)
        turns[last].message.content = ""
        let frame = renderedIDs().count
        guard frame < limit else {
            throw .contextTooShort(contextLength: contextLength, needed: frame)
        }
        // Cut text may take a few tokens more than it had in its place.
        var room = limit - frame
        while room > 0 {
            turns[last].message.content = shortened(ids, to: room)
            let prompt = renderedIDs()
            if prompt.count <= limit { return prompt }
            room -= max(1, prompt.count - limit)
        }
        turns[last].message.content = ""
        return renderedIDs()
    }

    /// Beginning and end of a text, since questions stand at either: `count` tokens together.
    private func shortened(_ ids: [Int32], to count: Int) -> String {
        let mark = tokenizer.encode(Self.cutMark, special: .plain).count
        guard count > mark + 1 else { return "" }
        let head = (count - mark) / 2
        let tail = count - mark - head
        // A cut inside a character leaves U+FFFD at the edges.
        let replacement: Character = "\u{FFFD}"
        var start = tokenizer.decode(Array(ids.prefix(head)))
        while start.last == replacement { start.removeLast() }
        let end = tokenizer.decode(Array(ids.suffix(tail))).drop { $0 == replacement }
        return start + Self.cutMark + end
    }

    private static let cutMark = "\n[…]\n"
}
