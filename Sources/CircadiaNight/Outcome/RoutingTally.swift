import CircadiaAnalysis
import CircadiaConversation

/// Where the exchanges of a log went at night, and why: counts, and the latest ones by their hashes.
package struct RoutingTally: Sendable, Codable, Equatable {
    /// What became of an exchange in training.
    package enum Training: String, Sendable, Codable {
        /// Its replies were learnt.
        case trained
        /// The same, and the adapter knew them already.
        case replayed
        /// The adapter knows them; they were not rehearsed.
        case waiting
        /// Its conversation is only ever measured.
        case heldOut
        /// A tag or its origin bars it.
        case leftOut
    }

    /// One exchange.
    package struct Entry: Sendable, Codable, Equatable {
        /// Its hash, as in training manifests.
        package var exchange: ContentHash
        /// What became of it in training.
        package var training: Training
        /// Whether the router sends it to the retrieval store.
        package var isStored: Bool
        /// The router's reasons; they quote nothing.
        package var reasons: [String]
        /// Why it does not train; empty where it may.
        package var bars: [TrainingBar]
        /// What was said of its replies, as far as it matters; nothing is quoted.
        package var lessons: [String]
        /// What secrets it holds, which neither train nor are stored.
        package var secrets: [SecretKind]
    }

    /// How often something was found.
    package struct Count: Sendable, Codable, Equatable {
        /// `RoutingReason.name`, `TrainingBar.rawValue` or `SecretKind.rawValue`.
        package var name: String
        /// Exchanges.
        package var count: Int
    }

    /// Exchanges of the log.
    package var exchanges = 0
    /// Exchanges that the router sends to the store.
    package var stored = 0
    /// Why, the most frequent first; one exchange may have several reasons.
    package var storedReasons: [Count] = []
    /// Exchanges kept out of the store by a tag.
    package var keptFromStore = 0
    /// Exchanges that do not train.
    package var leftOut = 0
    /// Why.
    package var bars: [Count] = []
    /// Exchanges with secrets.
    package var withSecrets = 0
    /// Which.
    package var secrets: [Count] = []
    /// The latest exchanges, in the log's order.
    package var latest: [Entry] = []

    /// Exchanges that `latest` holds at most.
    static let mostEntries = 200

    /// Tallies a log.
    ///
    /// - Parameters:
    ///   - material: every exchange of the night.
    ///   - heldOut: hashes of those that are only measured.
    ///   - tonight: hashes of those that the night trained.
    ///   - replayed: hashes of those among them that the adapter knew already.
    package init(
        _ material: NightMaterial, heldOut: Set<ContentHash>, tonight: Set<ContentHash>,
        replayed: Set<ContentHash>
    ) {
        let log = material.log
        var reasons: [String: Int] = [:]
        var barred: [String: Int] = [:]
        var kinds: [String: Int] = [:]
        exchanges = log.count
        for (index, entry) in log.enumerated() {
            let decision = entry.decision
            let secrets = SecretKind.allCases.filter(entry.clean.secrets.contains)
            let isStored = decision.destination == .store
            if isStored {
                stored += 1
                for reason in decision.reasons { reasons[reason.name, default: 0] += 1 }
            } else if decision.reasons == [.taggedNoRetrieval] {
                keptFromStore += 1
            }
            if !decision.trains { leftOut += 1 }
            for bar in decision.bars { barred[bar.rawValue, default: 0] += 1 }
            if !secrets.isEmpty { withSecrets += 1 }
            for kind in secrets { kinds[kind.rawValue, default: 0] += 1 }
            guard index >= log.count - Self.mostEntries else { continue }
            let hash = entry.clean.hash
            let training: Training =
                if !decision.trains {
                    .leftOut
                } else if heldOut.contains(hash) {
                    .heldOut
                } else if replayed.contains(hash) {
                    .replayed
                } else {
                    tonight.contains(hash) ? .trained : .waiting
                }
            latest.append(
                Entry(
                    exchange: hash, training: training,
                    isStored: isStored, reasons: decision.reasons.map(\.description),
                    bars: decision.bars,
                    lessons: entry.lesson.reasons { log[$0].clean.id }, secrets: secrets))
        }
        storedReasons = Self.counts(reasons)
        bars = Self.counts(barred)
        self.secrets = Self.counts(kinds)
    }

    /// The most frequent first.
    private static func counts(_ counts: [String: Int]) -> [Count] {
        counts.map { Count(name: $0.key, count: $0.value) }
            .sorted { ($1.count, $0.name) < ($0.count, $1.name) }
    }
}
