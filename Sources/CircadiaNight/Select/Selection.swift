import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation

/// Decides what a night does with each exchange of the log: learn it, replay it, only measure it,
/// or leave it.
package struct Selection {
    /// The redacted log and the exchanges of it that may be learnt.
    package let material: NightMaterial
    /// The exchanges that are new, replayed, and waiting.
    package let tonight: NightSelection
    /// Exchanges that are never trained on.
    package let heldOut: [CleanExchange]
    /// Those of `heldOut` that this night measures.
    package let measured: [CleanExchange]

    /// The exchanges that are trained tonight.
    package var exchanges: [CleanExchange] { tonight.exchanges }

    /// Selects a night's exchanges.
    ///
    /// - Parameters:
    ///   - material: the night's log.
    ///   - ledger: the exchanges that the adapter has learnt.
    ///   - options: the shares, and the steps with their rows.
    ///   - onlyIfDue: throws `.nothingDue` if nothing is new and nothing is due.
    ///   - logPath: the log's path, for errors.
    /// - Throws: `SleepError.nothingToLearn`, `.nothingNew` or `.nothingDue`.
    package init(
        of material: NightMaterial, ledger: TrainingLedger, options: SleepOptions,
        onlyIfDue: Bool, logPath: String
    ) throws(SleepError) {
        let split = HeldOutSplit(material.exchanges, share: options.heldOutShare)
        let learnable = split.training.filter { clean in
            clean.exchange.messages.contains {
                $0.role == .assistant && !Redactor.isMarked($0.content)
            }
        }
        guard !learnable.isEmpty else {
            throw .nothingToLearn(path: logPath, exchanges: material.log.count)
        }
        tonight = NightSelection(
            learnable, ledger: ledger, share: options.replayShare, room: Self.room(options),
            seed: options.seed)
        if onlyIfDue, !tonight.isDue || tonight.exchanges.isEmpty {
            throw .nothingDue(path: logPath)
        }
        guard !tonight.exchanges.isEmpty else { throw .nothingNew(path: logPath) }
        self.material = material
        heldOut = split.heldOut
        measured = split.measured { ledger.knows($0.hash) }
    }

    /// The number of the person's exchanges that the fewest steps of a night reach in one pass; 0
    /// if `epochs` decides.
    private static func room(_ options: SleepOptions) -> Int {
        let rows = options.leastSteps * options.batchSize * options.gradientAccumulation
        return Int(Double(rows) / (1 + options.rehearsalShare))
    }

    /// The exchanges to paraphrase: the new ones, or the replayed ones if nothing is new.
    package var toParaphrase: [CleanExchange] {
        (tonight.new.isEmpty ? tonight.replayed : tonight.new)
            // A correction such as “no, I meant …” makes no sense by itself.
            .filter { material.lesson(of: $0.id).correction == nil }
    }

    /// The selection in numbers and hashes, as an outcome keeps it.
    package struct Summary: Sendable, Codable, Equatable {
        /// Exchanges that are new, that are replayed, and that wait for another night.
        package var new, replayed, waiting: Int
        /// Exchanges that are only measured.
        package var heldOut: Int
        /// Exchanges of the log that the router sends to the store.
        package var stored: Int
        /// Replies of the log that are never learnt; replies of tonight that correct one; exchanges
        /// of tonight that were called good.
        package var repliesRejected, repliesCorrected, repliesGood: Int
        /// The hashes of the trained exchanges, by their ids.
        package var hashes: [String: ContentHash]
        /// The hashes among them that the adapter had learnt before.
        package var replayedHashes: [ContentHash]
        /// The hashes of the held-out exchanges.
        package var heldOutHashes: [ContentHash]

        /// Exchanges trained on.
        package var trained: Int { new + replayed }
    }

    /// The selection in numbers and hashes.
    package var summary: Summary {
        let lessons = exchanges.map { material.lesson(of: $0.id) }
        return Summary(
            new: tonight.new.count, replayed: tonight.replayed.count, waiting: tonight.waiting,
            heldOut: heldOut.count, stored: material.stored,
            repliesRejected: material.repliesRejected,
            repliesCorrected: lessons.reduce(0) { count, lesson in
                count + lesson.replies.count { $0.rejection == nil && $0.corrects != nil }
            },
            repliesGood: lessons.count { $0.mark == .good },
            hashes: Dictionary(
                exchanges.map { ($0.id, $0.hash) },
                uniquingKeysWith: { first, _ in first }),
            replayedHashes: tonight.replayed.map(\.hash),
            heldOutHashes: heldOut.map(\.hash))
    }
}
