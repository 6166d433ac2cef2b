import Foundation

/// What threads do between two measurements.
enum Threads {
    /// Waits until idle threads have gone to sleep: those of OpenMP spin for 200 ms after their
    /// last work, and would take the processors from whoever is measured next.
    static func rest() { Thread.sleep(forTimeInterval: 0.3) }
}
