import Foundation

/// Controls threads between two measurements.
enum Threads {
    /// Waits until idle threads sleep. OpenMP's threads spin for 200 ms after their last work and
    /// would take processor time from the next measurement.
    static func rest() { Thread.sleep(forTimeInterval: 0.3) }
}
