import CircadiaMemory

/// What of a log may be learnt: secrets are taken out, and what a person or its origin bars, or a person
/// rejected, is left out.
package struct NightMaterial {
    /// The exchanges that train, without secrets, in the log's order.
    package let exchanges: [Exchange]
    /// What was left out, a sentence each, for people.
    let notes: [String]
    /// Replies of the log that are never learnt.
    package let repliesRejected: Int
    private let lessons: Lessons
    /// Ids of the log, by place.
    private let ids: [String]
    /// The exchanges that may be shown as what came before a correction, without secrets.
    private let showable: [String: Exchange]

    package init(_ log: [Exchange]) {
        lessons = Lessons(log)
        ids = log.map(\.id)
        var exchanges: [Exchange] = []
        var showable: [String: Exchange] = [:]
        var barred: [TrainingBar: Int] = [:]
        var withSecrets = 0
        for (exchange, lesson) in zip(log, lessons.all) {
            let bars = Router.decide(exchange, lesson: lesson).bars
            for bar in bars { barred[bar, default: 0] += 1 }
            guard bars.isEmpty || bars == [.rejected] else { continue }
            let (clean, kinds) = exchange.redacted()
            showable[exchange.id] = clean
            guard bars.isEmpty else { continue }
            if !kinds.isEmpty { withSecrets += 1 }
            exchanges.append(clean)
        }
        self.exchanges = exchanges
        self.showable = showable
        repliesRejected = lessons.all.reduce(0) { count, lesson in
            count + lesson.replies.count { $0.rejection != nil }
        }
        var notes: [String] = []
        if let count = barred[.taggedNoTrain] {
            notes.append("left out: \(count) tagged “\(Exchange.noTrainTag)”")
        }
        if let count = barred[.recalled] {
            notes.append("left out: \(count) answered from memory, which is not learnt again")
        }
        if repliesRejected > 0 {
            notes.append("left out: \(repliesRejected) replies that were called bad or corrected")
        }
        if withSecrets > 0 {
            notes.append(
                "secrets in \(withSecrets) of the exchanges are not trained, nor the replies that "
                    + "repeat them")
        }
        self.notes = notes
    }

    /// What an exchange's replies are worth.
    func lesson(of exchange: Exchange) -> Lesson { lessons[exchange.id] }

    /// The exchanges, the earliest first, whose replies an exchange puts right; none where one of them may
    /// not be shown.
    func corrected(by exchange: Exchange) -> [Exchange] {
        let places = lessons.corrected(by: exchange.id)
        let found = places.compactMap { showable[ids[$0]] }
        return found.count == places.count ? found : []
    }
}
