/// The history of a training run. Together with the values of adapter and optimiser, it decides
/// every later step.
struct TrainingRunState: Codable, Equatable {
    /// A held-out loss in nats a token and the number of steps before it.
    struct Evaluation: Codable, Equatable {
        var step: Int
        var loss: Double
    }

    /// Every step in order, including steps that were not applied.
    var steps: [StepReport] = []
    /// Row numbers of the last batch.
    var lastBatch: [Int] = []
    /// Seconds of all steps.
    var seconds = 0.0
    /// Number of tokens that passed through the model.
    var tokens = 0
    /// Restorations without two good steps in between.
    var failures = 0
    /// The held-out loss before the first step.
    var before: Double?
    /// The latest held-out loss.
    var lastEvaluation: Evaluation?
    /// The lowest held-out loss.
    var best: Evaluation?
    /// Number of evaluations since the best one.
    var evaluationsSinceBest = 0

    /// Number of steps tried.
    var step: Int { steps.count }
}
