import CircadiaConversation
import CircadiaModel

extension PrecisionComparison {
    /// Tokens that are read at a time: the logits of that many are kept twice.
    private static let chunkSize = 64

    /// Compares both paths of `model` on everything that was said, whoever said it.
    ///
    /// - Parameters:
    ///   - model: reads each conversation in pieces of `contextLength` tokens, every piece afresh.
    ///   - template: the model's own, with a pinned date.
    ///   - exchanges: those that follow each other in one session are one conversation.
    ///   - contextLength: tokens before a prediction at most.
    ///   - limit: tokens to read at most.
    ///   - progress: called now and then with the number of tokens done.
    /// - Returns: the figures over all predictions.
    /// - Throws: `EvaluationError.nothingToScore`.
    package static func measure(
        model: AdaptedModel, template: ChatTemplate, exchanges: [Exchange], contextLength: Int,
        limit: Int, progress: (Int) -> Void = { _ in }
    ) throws(EvaluationError) -> PrecisionComparison {
        var predictions: [PredictionPair] = []
        var remaining = limit
        for messages in conversations(exchanges) where remaining > 0 {
            var rest = template.render(messages, addGenerationPrompt: false).ids
                .prefix(remaining)
            remaining -= rest.count
            while !rest.isEmpty {
                let piece = rest.prefix(contextLength)
                rest = rest.dropFirst(piece.count)
                predictions += compare(model, Array(piece))
                progress(limit - remaining - rest.count)
            }
        }
        guard let comparison = PrecisionComparison(predictions) else {
            throw .nothingToScore(exchanges: exchanges.count)
        }
        return comparison
    }

    /// The messages of each conversation.
    static func conversations(_ exchanges: [Exchange]) -> [[ChatMessage]] {
        var conversations: [[ChatMessage]] = []
        var session: String?
        for exchange in exchanges {
            if exchange.session != nil, exchange.session == session {
                conversations[conversations.count - 1] += exchange.messages
            } else {
                conversations.append(exchange.messages)
            }
            session = exchange.session
        }
        return conversations
    }

    /// The predictions of every token of `ids` but the first.
    private static func compare(_ model: AdaptedModel, _ ids: [Int32]) -> [PredictionPair] {
        let exactModel = model.with(precision: .exact)
        let int8Model = model.with(precision: .int8)
        let exactCache = exactModel.makeCache(capacity: ids.count)
        let int8Cache = int8Model.makeCache(capacity: ids.count)
        var predictions: [PredictionPair] = []
        for start in stride(from: 0, to: ids.count - 1, by: chunkSize) {
            let end = min(ids.count - 1, start + chunkSize)
            let chunk = Array(ids[start..<end])
            let logits = exactModel.forward(chunk, cache: exactCache, logits: .all)
            // Logits are valid until the next call in the same memory.
            let exact = Array(logits.values)
            let int8 = int8Model.forward(chunk, cache: int8Cache, logits: .all)
            exact.withUnsafeBufferPointer { exact in
                let width = int8.vocabularySize
                for row in chunk.indices {
                    predictions.append(
                        PredictionPair(
                            UnsafeBufferPointer(
                                rebasing: exact[row * width..<(row + 1) * width]),
                            UnsafeBufferPointer(int8[row]), target: ids[start + row + 1]))
                }
            }
        }
        return predictions
    }
}
