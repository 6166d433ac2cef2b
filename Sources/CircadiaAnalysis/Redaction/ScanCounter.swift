import Synchronization

/// Counts the texts that are searched for secrets, for tests of how often that happens.
///
/// `SecretDetector.$scanCounter.withValue(counter) { … }` counts what the block searches on its own thread
/// and tasks. Elsewhere nothing is counted.
package final class ScanCounter: Sendable {
    private let scans = Mutex(0)

    /// A counter at 0.
    package init() {}

    /// Texts that were searched.
    package var count: Int { scans.withLock { $0 } }

    func add() { scans.withLock { $0 += 1 } }
}
