import CircadiaAnalysis
import CircadiaConversation

/// What of a log may be learnt. What a person or its origin bars is left out, and so is what a person
/// rejected.
package struct NightMaterial {
    /// An exchange of the log.
    struct Entry {
        /// The exchange without secrets.
        let clean: CleanExchange
        /// What its replies are worth.
        let lesson: Lesson
        /// Where it goes.
        let decision: RoutingDecision
    }

    /// The exchanges that train, in the log's order.
    package let exchanges: [CleanExchange]
    /// What was left out.
    let leftOut: NightEvent.LeftOut
    /// Every exchange of the log, in its order, with what was found out about it.
    let log: [Entry]
    /// Replies of the log that are never learnt.
    package let repliesRejected: Int
    private let lessons: Lessons
    /// The exchanges that may be shown as what came before a correction.
    private let showable: [String: CleanExchange]

    /// Finds out what of a log may be learnt.
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
    var unwanted: Set<ContentHash> {
        Set(
            log.lazy.map(\.clean).filter {
                $0.exchange.tags.contains(Exchange.noTrainTag)
                    || ReplyMark.of($0.exchange) == .bad
            }.map(\.hash))
    }

    /// Exchanges that the router sends to the retrieval store.
    var stored: Int { log.count { $0.decision.destination == .store } }

    /// What the replies of the exchange with an id are worth.
    func lesson(of id: String) -> Lesson { lessons[id] }

    /// The exchanges, the earliest first, whose replies an exchange puts right; none where one of them may
    /// not be shown.
    ///
    /// - Parameter id: the id of the exchange that corrects them.
    func corrected(by id: String) -> [CleanExchange] {
        let places = lessons.corrected(by: id)
        let found = places.compactMap { showable[log[$0].clean.id] }
        return found.count == places.count ? found : []
    }
}
