/// Two runs of the same prompts, set against each other prompt by prompt.
public struct HarnessComparison: Codable, Sendable, Equatable {
    /// Prompts that pass only now.
    public let gained: [String]
    /// Prompts that passed only before.
    public let lost: [String]
    /// Two-sided p of McNemar's exact test: how likely so uneven a change is by chance alone.
    public let pValue: Double

    /// Compares runs by prompt; prompts that only one of them holds do not count.
    public init(before: HarnessReport, after: HarnessReport) {
        let earlier = Dictionary(
            before.results.map { ($0.id, $0.passed) }, uniquingKeysWith: { first, _ in first })
        let pairs = after.results.compactMap { result in
            earlier[result.id].map { (id: result.id, before: $0, after: result.passed) }
        }
        gained = pairs.filter { !$0.before && $0.after }.map(\.id)
        lost = pairs.filter { $0.before && !$0.after }.map(\.id)
        pValue = Statistics.signTest(gains: gained.count, losses: lost.count)
    }
}
