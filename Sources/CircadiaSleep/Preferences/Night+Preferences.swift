import CircadiaMemory
import CircadiaTokenizer
import CircadiaTraining
import Foundation

/// What a night makes of the preferences that a person stated.
extension Night {
    /// The preferences of a log, the pairs that follow them, and the exchanges in which they were stated.
    struct Wishes {
        var preferences: [StatedPreference] = []
        var pairs = PreferenceDistiller.Outcome()
        /// As a training manifest names them: whoever forgets one wants the pairs forgotten too.
        var hashes: [String] = []

        /// Whether the reply of an exchange is one that the person asked not to get: it is no measure
        /// of a night that learns to reply otherwise.
        func isBroken(by exchange: Exchange) -> Bool {
            guard let reply = exchange.messages.last, reply.role == .assistant else { return false }
            return preferences.contains {
                PreferenceCheck.shows($0, answer: reply.content) == false
            }
        }
    }

    /// Finds the preferences that hold and lets the base model answer as they want it; other questions
    /// every night.
    ///
    /// - Parameters:
    ///   - log: all exchanges, in order.
    ///   - own: those that are trained on, whose questions are asked too.
    ///   - number: the night's.
    ///   - isCancelled: asked before each question.
    ///   - report: told what was found.
    /// - Returns: what was found and made of it; nothing where the night is to have no pairs.
    /// - Throws: `ModelError`.
    func preferencePairs(
        in log: [Exchange], own: [Exchange], number: Int, isCancelled: @escaping () -> Bool,
        report: @escaping (Event) -> Void
    ) throws -> Wishes {
        guard let share = options.preferencePairs, share > 0 else { return Wishes() }
        var wishes = Wishes(preferences: StatedPreference.live(in: log))
        guard !wishes.preferences.isEmpty else { return wishes }
        let distiller = PreferenceDistiller(
            model: model, tokenizer: tokenizer, template: template,
            seed: StableHash.of("\(options.seed)/\(number)"))
        wishes.pairs = try distiller.pairs(
            following: wishes.preferences, questions: questions, own: Self.ownQuestions(in: own),
            share: share, isCancelled: isCancelled
        ) { report(.preferences(good: $0, tried: $1)) }
        let stated = Set(wishes.preferences.map(\.exchange))
        wishes.hashes = log.filter { stated.contains($0.id) }.map { TrainingManifest.hash(of: $0) }
        report(
            .note(
                "preferences: \(wishes.preferences.count) stated, \(wishes.pairs.training.count) pairs "
                    + "to train, \(wishes.pairs.heldOut.count) to measure"
                    + (wishes.pairs.refused > 0
                        ? "; \(wishes.pairs.refused) questions were not answered so" : "")))
        return wishes
    }

    /// The first messages of exchanges that are plain short questions.
    static func ownQuestions(in exchanges: [Exchange]) -> [PreferenceQuestion] {
        exchanges.compactMap { exchange in
            guard let first = exchange.messages.first, first.role == .user,
                first.content.hasSuffix("?"), (12...160).contains(first.content.count),
                !first.content.contains("\n"), !Redactor.isMarked(first.content)
            else { return nil }
            return PreferenceQuestion(id: exchange.id, topic: .general, text: first.content)
        }
    }
}

extension NightDataset {
    /// Leaves the beginning and the end of general pairs free: they hold what the model knows, not how
    /// it greets, how long it speaks and how it takes its leave, which the person has a say in.
    mutating func freeManner(ofGeneral general: [Exchange]) {
        let ids = Set(general.map(\.id))
        training = training.compactMap { row in
            guard ids.contains(row.id) else { return row }
            var row = row
            row.scored = row.scored.compactMap { range in
                let middle = range.dropFirst(2).dropLast()
                return middle.isEmpty ? nil : middle
            }
            return row.scored.isEmpty ? nil : row
        }
    }

    /// Adds pairs; of an answer that was cut, the end of the turn is not learnt.
    mutating func add(
        _ pairs: PreferenceDistiller.Outcome, template: ChatTemplate, maxSequenceLength: Int
    ) {
        func rows(_ pairs: [PreferenceDistiller.Pair]) -> [TrainingRow] {
            pairs.flatMap { pair in
                NightRows(template: template, limit: maxSequenceLength).rows([pair.exchange]).rows
                    .map {
                        row in
                        var row = row
                        if pair.isOpen, let last = row.scored.popLast(), last.count > 1 {
                            row.scored.append(last.dropLast())
                        }
                        return row
                    }
            }
        }
        training += rows(pairs.training)
        heldOut += rows(pairs.heldOut)
    }
}
