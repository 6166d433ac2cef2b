import CircadiaConversation

/// Where an exchange goes, and why.
package struct RoutingDecision: Sendable, Hashable {
    /// The places that remember.
    package enum Destination: String, Sendable, Hashable, Codable {
        /// Only the weights: how it was said matters, not the words.
        case weights
        /// The retrieval store, verbatim, and the weights too.
        case store
    }

    /// Where it goes.
    package let destination: Destination
    /// Why it does not train the weights; empty where it does.
    package let bars: [TrainingBar]
    /// Every reason, the strongest first; never empty.
    package let reasons: [RoutingReason]

    /// Whether it trains the weights.
    package var trains: Bool { bars.isEmpty }

    /// The reasons in one sentence.
    package var explanation: String {
        (reasons.map(\.description) + bars.map(\.description)).joined(separator: "; ")
    }
}

/// Why an exchange does not train the weights.
package enum TrainingBar: String, Sendable, Hashable, Codable, CustomStringConvertible {
    /// A person wants it kept out.
    case taggedNoTrain
    /// The reply was written with memories in view. They were learnt when they were said; a model
    /// that learns to repeat them without seeing them learns to make things up.
    case recalled
    /// A person called its reply bad, or corrected it.
    case rejected

    static func bars(of exchange: Exchange, lesson: Lesson?) -> [TrainingBar] {
        let isRejected = lesson?.isRejected ?? (ReplyMark.of(exchange) == .bad)
        return (exchange.tags.contains(Exchange.noTrainTag) ? [.taggedNoTrain] : [])
            + (exchange.isRecalled ? [.recalled] : []) + (isRejected ? [.rejected] : [])
    }

    /// The reason for people.
    package var description: String {
        switch self {
        case .taggedNoTrain: "does not train: tagged “\(Exchange.noTrainTag)”"
        case .recalled: "does not train: answered from memory"
        case .rejected: "does not train: the reply was rejected"
        }
    }
}

/// One reason for a routing decision. It names what was found without quoting it.
package enum RoutingReason: Sendable, Hashable, CustomStringConvertible {
    /// There is code in it.
    case code([CodeSign])
    /// There are links in it.
    case links(count: Int)
    /// There is JSON, or something like it, in it.
    case json
    /// It is long.
    case long(characters: Int)
    /// It is full of numbers.
    case numbers(digits: Int)
    /// A person wants it kept out of the store.
    case taggedNoRetrieval
    /// Nothing in it must stay exact.
    case plainTalk(characters: Int, digits: Int)

    /// One short name for counting: `code`, `links`, `json`, `long`, `numbers`, `tagged`, `plain`.
    package var name: String {
        switch self {
        case .code: "code"
        case .links: "links"
        case .json: "json"
        case .long: "long"
        case .numbers: "numbers"
        case .taggedNoRetrieval: "tagged"
        case .plainTalk: "plain"
        }
    }

    /// The reason for people.
    package var description: String {
        switch self {
        case .code(let signs):
            "code (" + signs.map(\.description).joined(separator: ", ") + ")"
        case .links(let count): count == 1 ? "a link" : "\(count) links"
        case .json: "JSON-like data"
        case .long(let characters):
            "long: \(characters) characters (more than \(Router.longestPlainTalk))"
        case .numbers(let digits):
            "many numbers: \(digits) digits (more than \(Router.mostPlainDigits))"
        case .taggedNoRetrieval: "tagged “\(Exchange.noRetrievalTag)”"
        case .plainTalk(let characters, let digits):
            "plain talk: \(characters) of \(Router.longestPlainTalk) characters, \(digits) of "
                + "\(Router.mostPlainDigits) digits, no code, links or JSON"
        }
    }
}
