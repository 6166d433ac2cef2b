import CircadiaMemory
import CircadiaTokenizer
import CircadiaTraining
import Foundation

/// The rows of a night: what is trained, what is only measured.
public struct NightDataset: Sendable {
    /// Rows of the person's exchanges, of paraphrases and of general texts.
    public let training: [TrainingRow]
    /// Rows of the held-out conversations.
    public let heldOut: [TrainingRow]
    /// Scored tokens of the training rows.
    public let scoredTokens: Int
    /// All tokens of the training rows.
    public let totalTokens: Int
    /// Rejected exchanges that training rows show as what came before, unscored.
    let context: [Exchange]
    /// Ids of training exchanges that have no row: nothing in them can be learnt.
    let withoutRow: Set<String>

    /// Renders exchanges with the model's template and keeps those that have something to learn.
    ///
    /// - Parameters:
    ///   - training: exchanges and paraphrases to learn.
    ///   - general: general pairs and prose to rehearse.
    ///   - generalKeepsBase: whether these keep to the base model's predictions rather than
    ///     to their own words.
    ///   - heldOut: exchanges that must not be seen in training.
    ///   - measured: those of them that are measured; nil for all.
    ///   - material: what was said of the replies; nil where every reply counts once.
    ///   - template: with a pinned date, so that the same exchange is the same row every night.
    ///   - maxSequenceLength: tokens at which a row is cut.
    ///   - matchesMLX: whether training rows are cut and scored as mlx_lm does it.
    package init(
        training: [Exchange], general: [Exchange], generalKeepsBase: Bool, heldOut: [Exchange],
        measured: [Exchange]? = nil, material: NightMaterial? = nil, template: ChatTemplate,
        maxSequenceLength: Int,
        matchesMLX: Bool = false
    ) {
        var renderer = NightRows(
            template: template, limit: maxSequenceLength, matchesMLX: matchesMLX)
        var rehearsed = renderer.rows(general).rows
        for index in rehearsed.indices { rehearsed[index].keepsBase = generalKeepsBase }
        renderer.material = material
        renderer.heldOut = Set(heldOut.map(\.id))
        let (rows, context) = renderer.rows(training)
        self.training = rows + rehearsed
        self.context = context
        withoutRow = Set(training.map(\.id)).subtracting(rows.map(\.id))
        self.heldOut = (measured ?? heldOut).compactMap(renderer.measured)
        scoredTokens = self.training.reduce(0) { $0 + $1.scoredCount }
        totalTokens = self.training.reduce(0) { $0 + $1.ids.count }
    }
}

extension TrainingRow {
    /// The tokens whose loss counts. The first token of a row has nothing before it to be
    /// predicted from.
    var scoredCount: Int {
        scored.reduce(0) { $0 + $1.count - ($1.lowerBound == 0 ? 1 : 0) }
    }
}
