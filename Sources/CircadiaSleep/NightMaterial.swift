import CircadiaMemory

/// What of a log may be learnt: secrets are taken out, and what a person or its origin bars is left
/// out.
struct NightMaterial {
    /// The exchanges that train, without secrets, in the log's order.
    let exchanges: [Exchange]
    /// What was left out, a sentence each, for people.
    let notes: [String]

    init(_ log: [Exchange]) {
        var exchanges: [Exchange] = []
        var barred: [TrainingBar: Int] = [:]
        var withSecrets = 0
        for exchange in log {
            let bars = Router.decide(exchange).bars
            for bar in bars { barred[bar, default: 0] += 1 }
            guard bars.isEmpty else { continue }
            let (clean, kinds) = exchange.redacted()
            if !kinds.isEmpty { withSecrets += 1 }
            exchanges.append(clean)
        }
        self.exchanges = exchanges
        var notes: [String] = []
        if let count = barred[.taggedNoTrain] {
            notes.append("left out: \(count) tagged “\(Exchange.noTrainTag)”")
        }
        if let count = barred[.recalled] {
            notes.append("left out: \(count) answered from memory, which is not learnt again")
        }
        if withSecrets > 0 {
            notes.append(
                "secrets in \(withSecrets) of the exchanges are not trained, nor the replies that "
                    + "repeat them")
        }
        self.notes = notes
    }
}
