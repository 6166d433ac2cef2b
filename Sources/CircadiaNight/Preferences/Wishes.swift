import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaModel
import CircadiaTraining
import Foundation

/// The preferences of a log, the pairs that follow them, and the exchanges that state them.
package struct Wishes {
    /// Preferences that hold.
    package let preferences: [StatedPreference]
    /// Preferences that no longer hold. Their fixed words are not learnt.
    package let former: [StatedPreference]
    /// Pairs that follow the preferences.
    package let pairs: PreferenceDistiller.Outcome
    /// Hashes of the exchanges that state preferences, for the training manifest: if one of them is
    /// forgotten, its pairs must be forgotten too.
    package let hashes: [ContentHash]

    /// Makes current and former preferences without pairs.
    package init(preferences: [StatedPreference] = [], former: [StatedPreference] = []) {
        self.init(preferences: preferences, former: former, pairs: .init(), hashes: [])
    }

    /// Makes preferences with their pairs.
    package init(
        preferences: [StatedPreference], former: [StatedPreference],
        pairs: PreferenceDistiller.Outcome, hashes: [ContentHash]
    ) {
        self.preferences = preferences
        self.former = former
        self.pairs = pairs
        self.hashes = hashes
    }

    /// The beginning of an answer that follows the preferences, which may be empty; nil if there
    /// are no preferences.
    package var opening: String? {
        guard !preferences.isEmpty else { return nil }
        return [guide.greeting, guide.beginning].filter { !$0.isEmpty }.joined(
            separator: "\n\n")
    }

    /// The number of first tokens of an answer that the preferences decide.
    package var firstTokens: Int { opening?.isEmpty == false ? Self.openingTokens : 0 }
    /// Tokens at a reply's beginning that are not scored.
    private static let openingTokens = 2

    private var guide: PreferenceGuide {
        PreferenceGuide(preferences: preferences, topic: .general)
    }

    /// The scoring of general texts in a night with these preferences.
    package var generalScoring: NightRows.Scoring {
        preferences.isEmpty ? .whole : .middle(first: firstTokens)
    }

    /// The preferences in numbers, for the outcome.
    package var summary: Rows.Preferences {
        Rows.Preferences(
            stated: preferences.count, opening: opening, pairs: pairs.training.count,
            pairsHeldOut: pairs.heldOut.count, refused: pairs.refused)
    }

    /// The number of rows of the training pairs; general texts are added in proportion to them too.
    package var rows: Int {
        pairs.training.count * NightRows.passes(ofPairs: pairs.training.count)
    }

    /// Changes an exchange's replies so that they follow the preferences.
    ///
    /// - Returns: the exchange and its scoring. Replies that break a preference are rewritten if
    ///   `PreferenceGuide.following` can do so, otherwise scored in part or not at all.
    package func applied(
        to clean: CleanExchange
    ) -> (exchange: CleanExchange, scoring: NightRows.Scoring) {
        let exchange = clean.exchange
        var result = exchange
        var scoring = NightRows.Scoring.whole
        for index in exchange.messages.indices where exchange.messages[index].role == .assistant {
            let reply = PreferenceGuide.without(former, in: exchange.messages[index].content)
            result.messages[index].content = reply
            let broken = preferences.filter { guide.shows($0, in: reply) == false }
            guard !broken.isEmpty else { continue }
            if let better = guide.following(reply) {
                result.messages[index].content = better
            } else if scoring != .none, broken.allSatisfy(Self.isAtTheEnds) {
                scoring = .middle(first: Self.openingTokens)
            } else {
                scoring = .none
            }
        }
        return (result == exchange ? clean : CleanExchange(cleaning: result), scoring)
    }

    /// Whether a reply that breaks the preference does so only at its beginning or end.
    private static func isAtTheEnds(_ preference: StatedPreference) -> Bool {
        switch preference.manner {
        case .closing: true
        case .layout: ["bullets", "numbered"].contains(preference.value)
        default: false
        }
    }
}

extension Wishes {
    /// Finds the preferences that hold and lets the base model write pairs for them, with other
    /// questions every night.
    ///
    /// - Parameters:
    ///   - log: all exchanges, in order.
    ///   - night: the night's number.
    ///   - options: the number of pairs and the seed.
    ///   - questions: all questions.
    ///   - model: the model that answers, without an adapter.
    ///   - control: asked before each question, and told the results.
    /// - Returns: the preferences and their pairs; empty if the options ask for no pairs.
    /// - Throws: `ModelError`.
    package static func found(
        in log: [CleanExchange], night: Int, options: SleepOptions, questions: [PreferenceQuestion],
        model: NightModel, control: NightControl
    ) throws -> Wishes {
        guard let share = options.preferencePairs, share > 0 else { return Wishes() }
        let history = StatedPreference.history(in: log)
        guard !history.live.isEmpty else {
            return Wishes(preferences: history.live, former: history.former)
        }
        let pairs = try PreferenceDistiller(
            model: model.base, tokenizer: model.tokenizer, template: model.template,
            seed: StableHash.of("\(options.seed)/\(night)")
        ).pairs(
            following: history.live, questions: questions, share: share,
            isCancelled: control.isCancelled
        ) { control.report(.preferences(good: $0, tried: $1)) }
        let stated = Set(history.live.map(\.exchange))
        control.report(
            .preferencePairs(
                stated: history.live.count, training: pairs.training.count,
                heldOut: pairs.heldOut.count, refused: pairs.refused))
        return Wishes(
            preferences: history.live, former: history.former, pairs: pairs,
            hashes: log.filter { stated.contains($0.id) }.map(\.hash))
    }
}
