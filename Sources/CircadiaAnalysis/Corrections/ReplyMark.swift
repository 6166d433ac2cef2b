import CircadiaConversation

/// What a person said of a reply as a whole: `/good` or `/bad` in a chat, or a tag of the same name.
package enum ReplyMark: String, Sendable, Hashable, CaseIterable {
    /// Its reply counts double in training.
    case good
    /// Its reply is never learnt.
    case bad

    /// An exchange's tags with this mark, which takes the place of the other one.
    package func added(to tags: [String]) -> [String] {
        tags.filter { tag in !Self.allCases.contains { $0.rawValue == tag } } + [rawValue]
    }

    /// The mark of an exchange; of both `bad` counts. Nil where there is none.
    package static func of(_ exchange: Exchange) -> ReplyMark? {
        exchange.tags.contains(Exchange.badTag)
            ? .bad : exchange.tags.contains(Exchange.goodTag) ? .good : nil
    }
}
