import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaModel
import CircadiaTraining
import Foundation

/// What a night makes of the preferences that a person stated.
extension Night {
    /// The preferences of a log, the pairs that follow them, and the exchanges in which they were stated.
    package struct Wishes {
        var preferences: [StatedPreference] = []
        /// Those that hold no longer: what was said word for word for them is not learnt.
        var former: [StatedPreference] = []
        var pairs = PreferenceDistiller.Outcome()
        /// As a training manifest names them: whoever forgets one wants the pairs forgotten too.
        var hashes: [ContentHash] = []

        /// Preferences that hold, and those that did.
        package init(preferences: [StatedPreference] = [], former: [StatedPreference] = []) {
            self.preferences = preferences
            self.former = former
        }

        /// How an answer begins that follows the preferences, perhaps as ever; nil where there are none.
        var opening: String? {
            guard !preferences.isEmpty else { return nil }
            return [guide.greeting, guide.beginning].filter { !$0.isEmpty }.joined(
                separator: "\n\n")
        }

        /// First tokens of an answer that the preferences have a say in.
        var firstTokens: Int { opening?.isEmpty == false ? 2 : 0 }

        private var guide: PreferenceGuide {
            PreferenceGuide(preferences: preferences, topic: .general)
        }

        /// Rows that the pairs to train on make; general texts are rehearsed against them too.
        var rows: Int {
            pairs.training.count * NightDataset.passes(ofPairs: pairs.training.count)
        }

        /// An exchange with its replies as they should have been.
        ///
        /// - Returns: the exchange, and what of it can be used: replies that break a preference are
        ///   rewritten where `PreferenceGuide.following` can do so.
        package func applied(to clean: CleanExchange) -> (exchange: CleanExchange, use: Use) {
            let exchange = clean.exchange
            var result = exchange
            var use = Use.whole
            for index in exchange.messages.indices where exchange.messages[index].role == .assistant
            {
                let reply = PreferenceGuide.without(former, in: exchange.messages[index].content)
                result.messages[index].content = reply
                let broken = preferences.filter { guide.shows($0, in: reply) == false }
                guard !broken.isEmpty else { continue }
                if let better = guide.following(reply) {
                    result.messages[index].content = better
                } else if use != .nothing, broken.allSatisfy(Self.isAtTheEnds) {
                    use = .middle
                } else {
                    use = .nothing
                }
            }
            return (result == exchange ? clean : CleanExchange(cleaning: result), use)
        }

        /// Whether what breaks a preference is how a reply begins or ends.
        private static func isAtTheEnds(_ preference: StatedPreference) -> Bool {
            switch preference.manner {
            case .closing: true
            case .layout: ["bullets", "numbered"].contains(preference.value)
            default: false
            }
        }
    }

    /// What of an exchange may be trained beside the preferences that hold.
    package enum Use {
        /// All its replies.
        case whole
        /// What lies between their first words and their end.
        case middle
        /// None.
        case nothing
    }

    /// Finds the preferences that hold and lets the base model answer as they want it; other questions
    /// every night.
    ///
    /// - Parameters:
    ///   - log: all exchanges, in order.
    ///   - number: the night's.
    ///   - isCancelled: asked before each question.
    ///   - report: told what was found.
    /// - Returns: what was found and made of it; nothing where the night is to have no pairs.
    /// - Throws: `ModelError`.
    func preferencePairs(
        in log: [CleanExchange], number: Int, isCancelled: @escaping () -> Bool,
        report: @escaping (Event) -> Void
    ) throws -> Wishes {
        guard let share = options.preferencePairs, share > 0 else { return Wishes() }
        let history = StatedPreference.history(in: log)
        var wishes = Wishes(preferences: history.live, former: history.former)
        guard !wishes.preferences.isEmpty else { return wishes }
        let distiller = PreferenceDistiller(
            model: base, tokenizer: tokenizer, template: template,
            seed: StableHash.of("\(options.seed)/\(number)"))
        wishes.pairs = try distiller.pairs(
            following: wishes.preferences, questions: questions, share: share,
            isCancelled: isCancelled
        ) { report(.preferences(good: $0, tried: $1)) }
        let stated = Set(wishes.preferences.map(\.exchange))
        wishes.hashes = log.filter { stated.contains($0.id) }.map(\.hash)
        report(
            .note(
                "preferences: \(wishes.preferences.count) stated, \(wishes.pairs.training.count) pairs "
                    + "to train, \(wishes.pairs.heldOut.count) to measure"
                    + (wishes.pairs.refused > 0
                        ? "; \(wishes.pairs.refused) questions were not answered so" : "")))
        return wishes
    }
}

extension NightDataset {
    /// Leaves the first tokens and the last one of every reply free in the rows of `ids`: how it begins and
    /// how it takes its leave, the person has a say in.
    package mutating func freeManner(of ids: Set<String>, first: Int = 2) {
        let rows = Self.ownRows(of: ids)
        training = training.compactMap { row in
            guard rows.contains(row.id) else { return row }
            var row = row
            row.scored = row.scored.compactMap { range in
                let middle = range.dropFirst(first).dropLast()
                return middle.isEmpty ? nil : middle
            }
            return row.scored.isEmpty ? nil : row
        }
    }

    /// Leaves exchanges out of training, for good.
    package mutating func drop(_ ids: Set<String>) {
        let rows = Self.ownRows(of: ids)
        training.removeAll { rows.contains($0.id) }
        withoutRow.formUnion(ids)
    }

    private static func ownRows(of exchanges: Set<String>) -> Set<String> {
        Set(exchanges.flatMap(RowID.ownRows).map(\.description))
    }

    /// Times that each of `count` pairs is shown when others are shown once: 3, as few short answers say
    /// little of a manner, but once where these would be more than 144 rows.
    package static func passes(ofPairs count: Int) -> Int {
        min(3, max(1, 144 / max(1, count)))
    }

    /// Lets a row learn only the tokens that the base model, which does not know of the preference, would
    /// hardly have said, and holds it to the base model at the others: there the answer is what it says
    /// anyway. Learnt as well, these would make it surer of itself; not looked at, they would not tell it where
    /// a closing does not belong.
    ///
    /// - Parameters:
    ///   - losses: the base model's for each scored token, nats (`AdaptedModel.losses`).
    ///   - row: what it holds to the base model is replaced.
    package static func learnUnsaid(
        _ losses: [(position: Int, nats: Float)], of row: inout TrainingRow
    ) {
        row.held = losses.filter { $0.nats <= surprise }.reduce(into: []) { ranges, token in
            let end = token.position + 1
            if let last = ranges.last, last.upperBound == token.position {
                ranges[ranges.count - 1] = last.lowerBound..<end
            } else {
                ranges.append(token.position..<end)
            }
        }
    }

    /// Nats above which the base model would hardly have said a token: it has a chance below one in five.
    private static let surprise: Float = 1.609

    /// Adds pairs; of an answer that was cut, the end of the turn is not learnt.
    ///
    /// - `pull`: how strongly they hold to the base model where they are not learnt (`TrainingRow.pull`).
    /// - `losses`: the base model's for each scored token of a row (`AdaptedModel.losses`).
    mutating func add(
        _ pairs: PreferenceDistiller.Outcome, template: ChatTemplate, maxSequenceLength: Int,
        pull: Float, losses: (TrainingRow) -> [(position: Int, nats: Float)]
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
        var learnt = rows(pairs.training)
        for index in learnt.indices {
            Self.learnUnsaid(losses(learnt[index]), of: &learnt[index])
            learnt[index].pull = pull
        }
        let passes = Self.passes(ofPairs: pairs.training.count)
        training += Array(repeating: learnt, count: passes).flatMap { $0 }
        heldOutPairs += rows(pairs.heldOut)
    }
}
