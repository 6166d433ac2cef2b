import Foundation

/// The learning rate of each step: it rises linearly, then stays constant or follows half a cosine.
package struct LearningRateSchedule: Sendable, Equatable {
    /// The rate after the warm-up.
    package var peak: Float
    /// Steps over which the rate rises.
    package var warmupSteps: Int
    /// Number of steps. The cosine ends at the last one.
    package var totalSteps: Int
    /// The shape after the rise.
    package var shape: TrainingOptions.Schedule

    /// The schedule that options ask for.
    package init(options: TrainingOptions) {
        peak = options.learningRate
        warmupSteps = options.warmupSteps
        totalSteps = options.iterations
        shape = options.schedule
    }

    /// The rate of a step, counted from 1. Step `warmupSteps` is the first one at the peak.
    package func rate(step: Int) -> Float {
        if step < warmupSteps { return peak * Float(step) / Float(warmupSteps) }
        guard shape == .cosine else { return peak }
        let length = max(1, totalSteps - max(warmupSteps, 1))
        let done = min(1, Double(step - max(warmupSteps, 1)) / Double(length))
        return Float(Double(peak) * 0.5 * (1 + cos(Double.pi * done)))
    }
}
