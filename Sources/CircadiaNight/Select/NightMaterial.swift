import CircadiaAnalysis
import CircadiaConversation

/// The part of a log that may be learnt. Exchanges that are barred by a tag or by their origin are
/// left out, and so are rejected replies.
package struct NightMaterial {
    /// An exchange of the log.
    package struct Entry {
        /// The redacted exchange.
        let clean: CleanExchange
        /// The person's feedback on its replies.
        let lesson: Lesson
        /// The router's decision.
        let decision: RoutingDecision
    }

    /// The exchanges that train, in the log's order.
    package let exchanges: [CleanExchange]
    /// The exchanges and replies that were left out, in numbers.
    package let leftOut: NightEvent.LeftOut
    /// Every exchange of the log, in its order, with its feedback and its routing.
    package let log: [Entry]
    /// Replies of the log that are never learnt.
    package let repliesRejected: Int
    private let lessons: Lessons
    /// The exchanges that may be shown as context of a correction.
    private let showable: [String: CleanExchange]

    /// Reads a log's feedback and routing and keeps the exchanges that may be learnt.
    ///
    /// - Parameter log: every exchange of the log, in its order.
    package init(_ log: [CleanExchange]) {
        lessons = Lessons(log)
        self.log = zip(log, lessons.all).map { clean, lesson in
            Entry(clean: clean, lesson: lesson, decision: clean.routing(after: lesson))
        }
        var exchanges: [CleanExchange] = []
        var showable: [String: CleanExchange] = [:]
        var barred: [TrainingBar: Int] = [:]
        for entry in self.log {
            let bars = entry.decision.bars
            for bar in bars { barred[bar, default: 0] += 1 }
            guard bars.isEmpty || bars == [.rejected] else { continue }
            showable[entry.clean.id] = entry.clean
            if bars.isEmpty { exchanges.append(entry.clean) }
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
        leftOut.withSecrets = exchanges.count { !$0.secrets.isEmpty }
        self.leftOut = leftOut
    }

    /// Hashes of the exchanges that a person called bad or tagged `no-train`.
    package var unwanted: Set<ContentHash> {
        Set(
            log.lazy.map(\.clean).filter {
                $0.exchange.tags.contains(Exchange.noTrainTag)
                    || ReplyMark.of($0.exchange) == .bad
            }.map(\.hash))
    }

    /// Exchanges that the router sends to the retrieval store.
    package var stored: Int { log.count { $0.decision.destination == .store } }

    /// The person's feedback on the replies of an exchange.
    package func lesson(of id: String) -> Lesson { lessons[id] }

    /// The exchanges whose replies an exchange corrects.
    ///
    /// - Parameter id: the id of the exchange that corrects them.
    /// - Returns: the exchanges, the earliest first; none if one of them may not be shown.
    package func corrected(by id: String) -> [CleanExchange] {
        let places = lessons.corrected(by: id)
        let found = places.compactMap { showable[log[$0].clean.id] }
        return found.count == places.count ? found : []
    }
}
