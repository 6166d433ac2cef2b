import CircadiaAnalysis
import CircadiaConversation

/// Where a night sent the exchanges of its log, and why: counts, and the latest exchanges by their
/// hashes.
package struct RoutingTally: Sendable, Codable, Equatable {
    /// How training used an exchange.
    package enum Training: String, Sendable, Codable {
        /// Its replies were learnt for the first time.
        case trained
        /// Its replies were learnt before and rehearsed.
        case replayed
        /// Its replies were learnt before and not rehearsed.
        case waiting
        /// Its conversation is held out and only measured.
        case heldOut
        /// A tag, a rejection or its origin bars it.
        case leftOut
    }

    /// One exchange.
    package struct Entry: Sendable, Codable, Equatable {
        /// The exchange's hash, as in training manifests.
        package var exchange: ContentHash
        /// How training used it.
        package var training: Training
        /// Whether the router sends it to the retrieval store.
        package var isStored: Bool
        /// The router's reasons; they contain no chat text.
        package var reasons: [String]
        /// Why it does not train; empty if it may.
        package var bars: [TrainingBar]
        /// Why its replies count more or are rejected; without chat text.
        package var lessons: [String]
        /// The kinds of secrets in it. Secrets are neither trained nor stored.
        package var secrets: [SecretKind]
    }

    /// The number of exchanges with one reason, bar or kind of secret.
    package struct Count: Sendable, Codable, Equatable {
        /// A `RoutingReason.name`, `TrainingBar.rawValue` or `SecretKind.rawValue`.
        package var name: String
        /// The number of exchanges.
        package var count: Int
    }

    /// Exchanges of the log.
    package var exchanges = 0
    /// Exchanges that the router sends to the store.
    package var stored = 0
    /// The reasons for storing, the most frequent first. One exchange may have several.
    package var storedReasons: [Count] = []
    /// Exchanges kept out of the store by a tag.
    package var keptFromStore = 0
    /// Exchanges that do not train.
    package var leftOut = 0
    /// The reasons for not training, the most frequent first.
    package var bars: [Count] = []
    /// Exchanges with secrets.
    package var withSecrets = 0
    /// The kinds of secrets, the most frequent first.
    package var secrets: [Count] = []
    /// The latest exchanges, in the log's order.
    package var latest: [Entry] = []

    /// The most exchanges in `latest`.
    package static let mostEntries = 200

    /// Tallies a log.
    ///
    /// - Parameters:
    ///   - material: every exchange of the night.
    ///   - heldOut: hashes of the held-out exchanges.
    ///   - tonight: hashes of the exchanges that the night trained.
    ///   - replayed: hashes of those among them that the adapter had learnt before.
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

    /// Counts in order, the most frequent first.
    private static func counts(_ counts: [String: Int]) -> [Count] {
        counts.map { Count(name: $0.key, count: $0.value) }
            .sorted { ($1.count, $0.name) < ($0.count, $1.name) }
    }
}
