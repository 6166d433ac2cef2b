/// Where an exchange goes, and why.
public struct RoutingDecision: Sendable, Hashable {
    /// The places that remember.
    public enum Destination: String, Sendable, Hashable, Codable {
        /// Only the weights: how it was said matters, not the words.
        case weights
        /// The retrieval store, verbatim, and the weights too.
        case store
    }

    /// Where it goes.
    public let destination: Destination
    /// Whether it trains the weights; true unless a person tagged it `no-train`.
    public let trains: Bool
    /// Every reason, the strongest first; never empty.
    public let reasons: [RoutingReason]

    /// The reasons in one sentence.
    public var explanation: String {
        reasons.map(\.description).joined(separator: "; ")
    }
}

/// One reason for a routing decision. It names what was found without quoting it.
public enum RoutingReason: Sendable, Hashable, CustomStringConvertible {
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
    public var name: String {
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
    public var description: String {
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
