import CircadiaConversation
import CircadiaTraining

/// The rows of a night: those to train and those only to measure.
///
/// Nothing changes them after they are built. An unfinished night keeps them, so that it resumes
/// with the same rows even if the log has changed.
package struct Rows: Sendable, Codable, Equatable {
    /// Rows of the person's exchanges, of paraphrases, of general texts and of pairs for preferences.
    package let training: [TrainingRow]
    /// Rows that the night is judged by.
    package let heldOut: [TrainingRow]
    /// The held-out conversations word for word, if preferences changed their replies; otherwise
    /// empty.
    package let heldOutAsSaid: [TrainingRow]
    /// The rows in numbers, and the hashes for the training manifest.
    package let summary: Summary
    /// Ids of exchanges that have nothing to learn. The ledger counts them as learnt.
    package let withoutRow: [String]

    /// The rows in numbers, as an outcome keeps them.
    package struct Summary: Sendable, Codable, Equatable {
        /// Scored tokens of the training rows, and all their tokens.
        package var scoredTokens, totalTokens: Int
        /// Paraphrases that are trained.
        package var paraphrases: Int
        /// Refused paraphrases, by `ParaphraseCheck.Refusal.rawValue`.
        package var paraphrasesRefused: [String: Int]
        /// General texts.
        package var general: Int
        /// Stated preferences and their pairs, in numbers.
        package var preferences: Preferences
        /// Sorted hashes of the exchanges that the rows show, for the training manifest.
        package var trainedHashes: [ContentHash]
    }

    /// Stated preferences and their pairs, in numbers.
    package struct Preferences: Sendable, Codable, Equatable {
        /// Preferences that hold.
        package var stated: Int
        /// The beginning of answers that follow them; nil if there are none.
        package var opening: String?
        /// Pairs that follow them: those trained on, and those only measured.
        package var pairs, pairsHeldOut: Int
        /// Questions without a usable answer.
        package var refused: Int
    }

    /// The fewest held-out rows that are measured without held-out pairs.
    private static let fewestHeldOut = 8

    /// Combines the parts of a night's rows.
    ///
    /// - Parameters:
    ///   - own: the rows of the person's exchanges and of paraphrases.
    ///   - general: the rows of general texts.
    ///   - pairs: the rows of pairs for preferences, each as often as it is shown.
    ///   - heldOut: the rows of the held-out conversations.
    ///   - heldOutPairs: the rows of held-out pairs; they are measured too if `heldOut` has fewer
    ///     than 8 rows.
    ///   - heldOutAsSaid: the held-out conversations word for word.
    ///   - summary: the numbers. The initialiser counts the tokens.
    package init(
        own: NightRows.Own, general: [TrainingRow], pairs: [TrainingRow], heldOut: [TrainingRow],
        heldOutPairs: [TrainingRow], heldOutAsSaid: [TrainingRow], summary: Summary
    ) {
        training = own.rows + general + pairs
        self.heldOut = heldOut.count < Self.fewestHeldOut ? heldOut + heldOutPairs : heldOut
        self.heldOutAsSaid = heldOutAsSaid
        withoutRow = own.withoutRow.sorted()
        var summary = summary
        summary.scoredTokens = training.reduce(0) { $0 + $1.scoredCount }
        summary.totalTokens = training.reduce(0) { $0 + $1.ids.count }
        self.summary = summary
    }

    /// Rows of the person's own exchanges, held-out ones first.
    ///
    /// - Parameter ids: the ids of the exchanges that are trained.
    /// - Returns: the rows.
    package func own(_ ids: some Collection<String>) -> [TrainingRow] {
        let ids = Set(ids)
        // With preferences, `heldOut` may include pairs, which are not the person's.
        return (summary.preferences.stated > 0 ? heldOutAsSaid : heldOut)
            + training.filter { ids.contains($0.id) }
    }

    /// The hashes of the exchanges that a training run has learnt.
    ///
    /// - Parameters:
    ///   - trained: ids of the rows in the adapter's steps.
    ///   - hashes: the hashes of the exchanges by their ids.
    /// - Returns: the hashes, in no order.
    package func learnt(_ trained: Set<String>, hashes: [String: ContentHash]) -> [ContentHash] {
        hashes.compactMap { id, hash in
            let isLearnt = RowID.ownRows(of: id).contains { trained.contains($0.description) }
            return isLearnt || withoutRow.contains(id) ? hash : nil
        }
    }
}

extension TrainingRow {
    /// The number of tokens whose loss counts. The first token of a row is not predicted.
    package var scoredCount: Int {
        scored.reduce(0) { $0 + $1.count - ($1.lowerBound == 0 ? 1 : 0) }
    }
}
