import CircadiaConversation

/// An exchange without its secrets, with its hash and where the router sends it.
///
/// This is the only form that training and the stores accept. No other target can make one without
/// `init(cleaning:)`, so the compiler checks that a secret never trains. A program cleans each exchange once
/// and hands the result on: the search for secrets is the slowest thing that is done to a text.
package struct CleanExchange: Sendable, Hashable {
    /// The exchange with a mark in each secret's place (`Redactor.mark`).
    package let exchange: Exchange
    /// The secrets that were found, in order; one kind may stand there twice.
    package let secrets: [SecretKind]
    /// The hash of `exchange`: manifests, ledgers and diaries name it so.
    package let hash: ContentHash
    /// Where the router sends it, by what was said and by its own tags.
    package let routing: RoutingDecision
    /// The exchange with its secrets; nil where it has none.
    let unredacted: Exchange?

    /// Takes the secrets out of an exchange, hashes it and routes it.
    ///
    /// System messages are searched too.
    ///
    /// - Parameter exchange: the exchange as it was said.
    package init(cleaning exchange: Exchange) {
        let (clean, secrets) = exchange.redacted()
        self.exchange = clean
        self.secrets = secrets
        hash = clean.contentHash
        // The router looks at what was said: a mark has another length than the secret.
        routing = Router.decide(exchange)
        unredacted = secrets.isEmpty ? nil : exchange
    }

    /// The exchange's id.
    package var id: String { exchange.id }

    /// The hash of the exchange as the log has it.
    package var hashAsSaid: ContentHash { unredacted?.contentHash ?? hash }

    /// The exchange as a log or a store keeps it. Nothing that trains may ask for secrets.
    ///
    /// - Parameter keepingSecrets: whether a person wants secrets kept.
    /// - Returns: the exchange with them, or `exchange`.
    package func kept(keepingSecrets: Bool) -> Exchange {
        keepingSecrets ? asSaid : exchange
    }

    /// Where the router sends it, and whether its replies were rejected later in the log.
    ///
    /// - Parameter lesson: what `Lessons` says of the exchange.
    /// - Returns: `routing` with the bars that follow from the lesson.
    package func routing(after lesson: Lesson) -> RoutingDecision {
        RoutingDecision(
            destination: routing.destination,
            bars: TrainingBar.bars(of: exchange, lesson: lesson), reasons: routing.reasons)
    }

    /// The exchange with its secrets, for detectors that must see what was said.
    var asSaid: Exchange { unredacted ?? exchange }
}

extension Sequence<Exchange> {
    /// The exchanges, each cleaned once, in order.
    package var cleaned: [CleanExchange] { map(CleanExchange.init(cleaning:)) }
}
