import CircadiaAnalysis
import CircadiaConversation
import CircadiaModel
import CircadiaTraining
import Foundation

/// The rows of a night: what is trained, what is only measured.
package struct NightDataset: Sendable {
    /// Rows of the person's exchanges, of paraphrases and of general texts.
    package internal(set) var training: [TrainingRow]
    /// Rows of the held-out conversations.
    package internal(set) var heldOut: [TrainingRow]
    /// The same as they were said, those too that break a preference and are no measure.
    package internal(set) var heldOutAsSaid: [TrainingRow] = []
    /// Rows of held-out pairs that follow stated preferences.
    package internal(set) var heldOutPairs: [TrainingRow] = []
    /// What the night is judged by: the held-out conversations, or, where these are too few to tell, the
    /// pairs as well.
    package var judged: [TrainingRow] {
        heldOut.count < Self.fewestHeldOut ? heldOut + heldOutPairs : heldOut
    }
    /// Rows from which on held-out conversations can tell by themselves.
    private static let fewestHeldOut = 8
    /// Scored tokens of the training rows.
    package var scoredTokens: Int { training.reduce(0) { $0 + $1.scoredCount } }
    /// All tokens of the training rows.
    package var totalTokens: Int { training.reduce(0) { $0 + $1.ids.count } }
    /// Rejected exchanges that training rows show as what came before, unscored.
    let context: [CleanExchange]
    /// Ids of training exchanges that have no row: nothing in them can be learnt.
    var withoutRow: Set<String>

    /// Renders exchanges with the model's template and keeps those that have something to learn.
    ///
    /// - Parameters:
    ///   - training: exchanges and paraphrases to learn.
    ///   - general: general pairs and prose to rehearse.
    ///   - generalKeepsBase: whether these keep to the base model's predictions rather than
    ///     to their own words.
    ///   - heldOut: exchanges that must not be seen in training.
    ///   - measured: those of them that are measured; nil for all.
    ///   - asSaid: the same before preferences were looked at; nil where there are none.
    ///   - material: what was said of the replies; nil where every reply counts once.
    ///   - template: with a pinned date, so that the same exchange is the same row every night.
    ///   - maxSequenceLength: tokens at which a row is cut.
    ///   - matchesMLX: whether training rows are cut and scored as mlx_lm does it.
    package init(
        training: [CleanExchange], general: [CleanExchange], generalKeepsBase: Bool,
        heldOut: [CleanExchange],
        measured: [CleanExchange]? = nil, asSaid: [CleanExchange]? = nil,
        material: NightMaterial? = nil,
        template: ChatTemplate,
        maxSequenceLength: Int,
        matchesMLX: Bool = false
    ) {
        var renderer = NightRows(
            template: template, limit: maxSequenceLength, matchesMLX: matchesMLX)
        var rehearsed = renderer.rows(general).rows
        if generalKeepsBase {
            for index in rehearsed.indices { rehearsed[index].held = rehearsed[index].scored }
        }
        renderer.material = material
        renderer.heldOut = Set(heldOut.map(\.id))
        let (rows, context) = renderer.rows(training)
        self.training = rows + rehearsed
        self.context = context
        withoutRow = Set(training.map(\.id)).subtracting(rows.map(\.id))
        self.heldOut = (measured ?? heldOut).compactMap(renderer.measured)
        heldOutAsSaid = (asSaid ?? []).compactMap(renderer.measured)
    }
}

extension TrainingRow {
    /// The tokens whose loss counts. The first token of a row has nothing before it to be
    /// predicted from.
    var scoredCount: Int {
        scored.reduce(0) { $0 + $1.count - ($1.lowerBound == 0 ? 1 : 0) }
    }
}
