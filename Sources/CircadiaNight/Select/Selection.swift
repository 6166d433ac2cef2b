import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation

/// What a night does with each exchange of the log: learn it, rehearse it, only measure it, or leave it.
package struct Selection {
    /// The log, without secrets, with what may be learnt of it.
    let material: NightMaterial
    /// Exchanges that are new, rehearsed, and wait.
    let tonight: NightSelection
    /// Exchanges that are never trained on.
    let heldOut: [CleanExchange]
    /// Those of `heldOut` that this night measures.
    let measured: [CleanExchange]

    /// What is trained tonight.
    package var exchanges: [CleanExchange] { tonight.exchanges }

    /// Selects.
    ///
    /// - Parameters:
    ///   - material: the night's log.
    ///   - ledger: what the adapter knows.
    ///   - options: shares, and how many rows the steps reach.
    ///   - onlyIfDue: refuses a night in which nothing is new and nothing is due.
    ///   - logPath: names the log in errors.
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

    /// The person's exchanges that the steps, or the fewest of a night, reach in one pass; 0 where the
    /// passes are counted.
    private static func room(_ options: SleepOptions) -> Int {
        let rows = options.leastSteps * options.batchSize * options.gradientAccumulation
        return Int(Double(rows) / (1 + options.rehearsalShare))
    }

    /// The exchanges that paraphrases are written of: those that are new, or else those that are rehearsed.
    var toParaphrase: [CleanExchange] {
        (tonight.new.isEmpty ? tonight.replayed : tonight.new)
            // Other words for “no, I meant …” are about nothing.
            .filter { material.lesson(of: $0.id).correction == nil }
    }

    /// Numbers and hashes of a selection, as an outcome keeps them.
    package struct Summary: Sendable, Codable, Equatable {
        /// Exchanges for the first time and once more, and older ones that wait for another night.
        package var new, replayed, waiting: Int
        /// Exchanges that are only measured.
        package var heldOut: Int
        /// Exchanges of the log that the router sends to the store.
        package var stored: Int
        /// Replies of the log that are never learnt; replies tonight that put one right, or were called
        /// good.
        package var repliesRejected, repliesCorrected, repliesGood: Int
        /// The hashes of what is trained, by the exchange's id.
        package var hashes: [String: ContentHash]
        /// Those among them that the adapter knew before.
        package var replayedHashes: [ContentHash]
        /// The hashes of the exchanges that are held out.
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
