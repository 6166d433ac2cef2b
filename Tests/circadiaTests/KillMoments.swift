import CircadiaTestSupport
import Foundation

/// Random moments at which a test kills programs. The seed is printed; `CIRCADIA_KILL_SEED` draws
/// the same moments again.
struct KillMoments {
    private var generator: SplitMix64

    /// Moments for one test; prints its name with the seed.
    init(_ test: String = #function) {
        let seed =
            Surroundings.variable("CIRCADIA_KILL_SEED").flatMap { UInt64($0) }
            ?? UInt64(UInt32.random(in: 0...UInt32.max))
        print("\(test): CIRCADIA_KILL_SEED=\(seed)")
        generator = SplitMix64(seed: seed)
    }

    /// The number of kills of a test: a few, or 20 if every test runs.
    static func count(orElse few: Int) -> Int { Surroundings.runsEverything ? 20 : few }

    /// Waits for a random part, within `shares`, of a program's running time.
    mutating func wait(_ shares: ClosedRange<Double> = 0...1, of seconds: Double) {
        usleep(UInt32(Double.random(in: shares, using: &generator) * seconds * 1e6))
    }

    /// Waits for some microseconds.
    mutating func wait(microseconds: ClosedRange<UInt32>) {
        usleep(UInt32.random(in: microseconds, using: &generator))
    }
}
