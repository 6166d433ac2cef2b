/// How a person corrected a reply.
package enum CorrectionKind: String, Sendable, Hashable, Codable, CaseIterable {
    /// “No, I meant …”: the question had been taken otherwise.
    case meant
    /// “That's wrong”, “not X but Y”: what it says does not hold.
    case contradicted
    /// “Too long”, “shorter, please”: it should have been said otherwise.
    case restyled
    /// The same question once more.
    case askedAgain
    /// The exchange carries the tag `correction`.
    case told

    /// For people.
    package var words: String {
        switch self {
        case .meant: "something else was meant"
        case .contradicted: "contradicted"
        case .restyled: "wanted otherwise"
        case .askedAgain: "asked again"
        case .told: "told"
        }
    }
}
