/// What a training has seen so far: all that the rest of it depends on, but for the adapter's
/// numbers and the optimiser's.
struct TrainingRunState: Codable, Equatable {
    /// A held-out loss and the number of steps before it.
    struct Evaluation: Codable, Equatable {
        var step: Int
        var loss: Double
    }

    /// Every step, in order; steps that were not applied too.
    var steps: [StepReport] = []
    /// Row numbers of the last batch.
    var lastBatch: [Int] = []
    /// Time of all steps.
    var seconds = 0.0
    /// Tokens that passed through the model.
    var tokens = 0
    /// Restorations without two good steps in between.
    var failures = 0
    /// The held-out loss before the first step.
    var before: Double?
    /// The latest held-out loss.
    var lastEvaluation: Evaluation?
    /// The lowest held-out loss.
    var best: Evaluation?
    /// Evaluations since then.
    var evaluationsSinceBest = 0

    /// Steps tried.
    var step: Int { steps.count }
}
