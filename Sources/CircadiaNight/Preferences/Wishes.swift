import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaModel
import CircadiaTraining
import Foundation

/// The preferences of a log, the pairs that follow them, and the exchanges in which they were stated.
package struct Wishes {
    /// Preferences that hold.
    let preferences: [StatedPreference]
    /// Those that hold no longer: what was said word for word for them is not learnt.
    let former: [StatedPreference]
    /// Pairs that follow the preferences.
    let pairs: PreferenceDistiller.Outcome
    /// Hashes of the exchanges in which preferences were stated, as a training manifest names them:
    /// whoever forgets one wants the pairs forgotten too.
    let hashes: [ContentHash]

    /// Preferences that hold, and those that did, without pairs.
    package init(preferences: [StatedPreference] = [], former: [StatedPreference] = []) {
        self.init(preferences: preferences, former: former, pairs: .init(), hashes: [])
    }

    /// Preferences, and what was made of them.
    init(
        preferences: [StatedPreference], former: [StatedPreference],
        pairs: PreferenceDistiller.Outcome, hashes: [ContentHash]
    ) {
        self.preferences = preferences
        self.former = former
        self.pairs = pairs
        self.hashes = hashes
    }

    /// How an answer begins that follows the preferences, perhaps as ever; nil where there are none.
    var opening: String? {
        guard !preferences.isEmpty else { return nil }
        return [guide.greeting, guide.beginning].filter { !$0.isEmpty }.joined(
            separator: "\n\n")
    }

    /// First tokens of an answer that the preferences have a say in.
    var firstTokens: Int { opening?.isEmpty == false ? Self.openingTokens : 0 }
    /// Tokens at a reply's beginning that are left to the person.
    private static let openingTokens = 2

    private var guide: PreferenceGuide {
        PreferenceGuide(preferences: preferences, topic: .general)
    }

    /// How general texts are scored beside the preferences.
    var generalScoring: NightRows.Scoring {
        preferences.isEmpty ? .whole : .middle(first: firstTokens)
    }

    /// What an outcome keeps of the preferences.
    var summary: Rows.Preferences {
        Rows.Preferences(
            stated: preferences.count, opening: opening, pairs: pairs.training.count,
            pairsHeldOut: pairs.heldOut.count, refused: pairs.refused)
    }

    /// Rows that the pairs to train on make; general texts are rehearsed against them too.
    var rows: Int {
        pairs.training.count * NightRows.passes(ofPairs: pairs.training.count)
    }

    /// An exchange with its replies as they should have been.
    ///
    /// - Returns: the exchange, and what of it may be scored: replies that break a preference are
    ///   rewritten where `PreferenceGuide.following` can do so.
    package func applied(
        to clean: CleanExchange
    ) -> (exchange: CleanExchange, scoring: NightRows.Scoring) {
        let exchange = clean.exchange
        var result = exchange
        var scoring = NightRows.Scoring.whole
        for index in exchange.messages.indices where exchange.messages[index].role == .assistant
        {
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

    /// Whether what breaks a preference is how a reply begins or ends.
    private static func isAtTheEnds(_ preference: StatedPreference) -> Bool {
        switch preference.manner {
        case .closing: true
        case .layout: ["bullets", "numbered"].contains(preference.value)
        default: false
        }
    }
}

extension Wishes {
    /// Finds the preferences that hold and lets the base model answer as they want it; other questions
    /// every night.
    ///
    /// - Parameters:
    ///   - log: all exchanges, in order.
    ///   - night: the night's number.
    ///   - options: how many pairs, and the seed.
    ///   - questions: what can be asked.
    ///   - model: what answers, without an adapter.
    ///   - control: asked before each question, and told what was found.
    /// - Returns: what was found and made of it; nothing where the night is to have no pairs.
    /// - Throws: `ModelError`.
    static func found(
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
