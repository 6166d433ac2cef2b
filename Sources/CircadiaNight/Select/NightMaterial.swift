import CircadiaAnalysis
import CircadiaConversation

/// What of a log may be learnt: secrets are taken out, and what a person or its origin bars, or a person
/// rejected, is left out.
package struct NightMaterial {
    /// An exchange of the log.
    struct Entry {
        /// As it was said.
        let exchange: Exchange
        /// Without secrets.
        let clean: Exchange
        /// What secrets it holds.
        let secrets: [SecretKind]
        /// Where it goes.
        let decision: RoutingDecision
        /// What its replies are worth.
        let lesson: Lesson
    }

    /// The exchanges that train, without secrets, in the log's order.
    package let exchanges: [Exchange]
    /// What was left out.
    let leftOut: NightEvent.LeftOut
    /// Every exchange of the log, in its order, with what was found out about it.
    let log: [Entry]
    /// Replies of the log that are never learnt.
    package let repliesRejected: Int
    private let lessons: Lessons
    /// The exchanges that may be shown as what came before a correction, without secrets.
    private let showable: [String: Exchange]

    package init(_ log: [Exchange]) {
        lessons = Lessons(log)
        self.log = zip(log, lessons.all).map { exchange, lesson in
            let (clean, secrets) = exchange.redacted()
            return Entry(
                exchange: exchange, clean: clean, secrets: secrets,
                decision: Router.decide(exchange, lesson: lesson), lesson: lesson)
        }
        var exchanges: [Exchange] = []
        var showable: [String: Exchange] = [:]
        var barred: [TrainingBar: Int] = [:]
        var withSecrets = 0
        for entry in self.log {
            let bars = entry.decision.bars
            for bar in bars { barred[bar, default: 0] += 1 }
            guard bars.isEmpty || bars == [.rejected] else { continue }
            showable[entry.exchange.id] = entry.clean
            guard bars.isEmpty else { continue }
            if !entry.secrets.isEmpty { withSecrets += 1 }
            exchanges.append(entry.clean)
        }
        self.exchanges = exchanges
        self.showable = showable
        repliesRejected = lessons.all.reduce(0) { count, lesson in
            count + lesson.replies.count { $0.rejection != nil }
        }
        var leftOut = NightEvent.LeftOut()
        leftOut.tagged = barred[.taggedNoTrain] ?? 0
        leftOut.recalled = barred[.recalled] ?? 0
        leftOut.rejectedReplies = repliesRejected
        leftOut.withSecrets = withSecrets
        self.leftOut = leftOut
    }

    /// Exchanges that the router sends to the retrieval store.
    var stored: Int { log.count { $0.decision.destination == .store } }

    /// What an exchange's replies are worth.
    func lesson(of exchange: Exchange) -> Lesson { lessons[exchange.id] }

    /// The exchanges, the earliest first, whose replies an exchange puts right; none where one of them may
    /// not be shown.
    func corrected(by exchange: Exchange) -> [Exchange] {
        let places = lessons.corrected(by: exchange.id)
        let found = places.compactMap { showable[log[$0].exchange.id] }
        return found.count == places.count ? found : []
    }
}
