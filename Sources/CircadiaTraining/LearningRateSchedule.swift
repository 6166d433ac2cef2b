import Foundation

/// The learning rate of each step: a linear rise, then constant or half a cosine.
package struct LearningRateSchedule: Sendable, Equatable {
    /// The rate after the warm-up.
    package var peak: Float
    /// Steps of the rise.
    package var warmupSteps: Int
    /// Steps in all; where the cosine ends.
    package var totalSteps: Int
    /// What follows the rise.
    package var shape: TrainingOptions.Schedule

    /// The schedule that options ask for.
    package init(options: TrainingOptions) {
        peak = options.learningRate
        warmupSteps = options.warmupSteps
        totalSteps = options.iterations
        shape = options.schedule
    }

    /// The rate of step 1, 2, …; step `warmupSteps` is the first one at the peak.
    package func rate(step: Int) -> Float {
        if step < warmupSteps { return peak * Float(step) / Float(warmupSteps) }
        guard shape == .cosine else { return peak }
        let length = max(1, totalSteps - max(warmupSteps, 1))
        let done = min(1, Double(step - max(warmupSteps, 1)) / Double(length))
        return Float(Double(peak) * 0.5 * (1 + cos(Double.pi * done)))
    }
}
