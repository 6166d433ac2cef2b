/// Two runs of the same prompts, set against each other prompt by prompt.
package struct HarnessComparison: Codable, Sendable, Equatable {
    /// Prompts that pass only now.
    package let gained: [String]
    /// Prompts that passed only before.
    package let lost: [String]
    /// Two-sided p of McNemar's exact test: how likely so uneven a change is by chance alone.
    package let pValue: Double

    /// Compares runs by prompt; prompts that only one of them holds do not count.
    package init(before: HarnessReport, after: HarnessReport) {
        self.init(
            before: Dictionary(
                before.results.map { ($0.id, $0.passed) }, uniquingKeysWith: { first, _ in first }),
            after: after)
    }

    /// Compares a run with what is known of an earlier one: whether each prompt passed, by its id.
    package init(before earlier: [String: Bool], after: HarnessReport) {
        let pairs = after.results.compactMap { result in
            earlier[result.id].map { (id: result.id, before: $0, after: result.passed) }
        }
        gained = pairs.filter { !$0.before && $0.after }.map(\.id)
        lost = pairs.filter { $0.before && !$0.after }.map(\.id)
        pValue = Statistics.signTest(gains: gained.count, losses: lost.count)
    }
}
