import CircadiaConversation
import CircadiaTraining

/// The rows of a night: what is trained and what is only measured.
///
/// They are finished when they are built; nothing changes them afterwards. An unfinished night keeps them,
/// so that it is resumed with the same rows whatever happened to the log meanwhile.
package struct Rows: Sendable, Codable, Equatable {
    /// Rows of the person's exchanges, of paraphrases, of general texts and of pairs for preferences.
    package let training: [TrainingRow]
    /// Rows that the night is judged by.
    package let heldOut: [TrainingRow]
    /// The held-out conversations word for word where preferences make a difference; empty elsewhere.
    package let heldOutAsSaid: [TrainingRow]
    /// Numbers of a night's rows, and what a training manifest names.
    package let summary: Summary
    /// Ids of exchanges in which nothing can be learnt, so that the ledger need not wait for them.
    package let withoutRow: [String]

    /// Numbers of rows, as an outcome keeps them.
    package struct Summary: Sendable, Codable, Equatable {
        /// Scored tokens of the training rows, and all.
        package var scoredTokens, totalTokens: Int
        /// Paraphrases among the exchanges, and those that were refused, by reason.
        package var paraphrases: Int
        package var paraphrasesRefused: [String: Int]
        /// General texts.
        package var general: Int
        /// What was made of stated preferences.
        package var preferences: Preferences
        /// Hashes of the exchanges that the rows show, as a training manifest names them, sorted.
        package var trainedHashes: [ContentHash]
    }

    /// What a night made of stated preferences.
    package struct Preferences: Sendable, Codable, Equatable {
        /// Preferences that hold.
        package var stated: Int
        /// How answers begin that follow them; nil where there are none.
        package var opening: String?
        /// Pairs that follow them, trained on, and those that are only measured.
        package var pairs, pairsHeldOut: Int
        /// Questions without a usable answer.
        package var refused: Int
    }

    /// Rows from which on held-out conversations can tell by themselves.
    private static let fewestHeldOut = 8

    /// Puts the parts of a night's rows together.
    ///
    /// - Parameters:
    ///   - own: the rows of the person's exchanges and of paraphrases.
    ///   - general: the rows of general texts.
    ///   - pairs: the rows of pairs for preferences, each as often as it is shown.
    ///   - heldOut: the rows of the held-out conversations.
    ///   - heldOutPairs: the rows of held-out pairs; they are measured where `heldOut` are too few.
    ///   - heldOutAsSaid: the held-out conversations word for word.
    ///   - summary: the numbers, but for the tokens, which are counted here.
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

    /// Rows of the person's own exchanges, those held out first.
    ///
    /// - Parameter ids: the ids of the exchanges that are trained.
    func own(_ ids: some Collection<String>) -> [TrainingRow] {
        let ids = Set(ids)
        // Beside preferences `heldOut` may have pairs, which are not the person's.
        return (summary.preferences.stated > 0 ? heldOutAsSaid : heldOut)
            + training.filter { ids.contains($0.id) }
    }

    /// The hashes of the exchanges that a training has learnt.
    ///
    /// - Parameters:
    ///   - trained: ids of the rows that the adapter's steps were made of.
    ///   - hashes: of the exchanges, by their ids.
    func learnt(_ trained: Set<String>, hashes: [String: ContentHash]) -> [ContentHash] {
        hashes.compactMap { id, hash in
            let isLearnt = RowID.ownRows(of: id).contains { trained.contains($0.description) }
            return isLearnt || withoutRow.contains(id) ? hash : nil
        }
    }
}

extension TrainingRow {
    /// The tokens whose loss counts. The first token of a row has nothing before it to be
    /// predicted from.
    var scoredCount: Int {
        scored.reduce(0) { $0 + $1.count - ($1.lowerBound == 0 ? 1 : 0) }
    }
}
