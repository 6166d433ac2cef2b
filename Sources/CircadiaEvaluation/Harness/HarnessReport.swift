import Foundation

/// What came of one prompt.
package struct HarnessResult: Codable, Sendable, Equatable {
    /// The prompt.
    package let id: String
    /// Its category.
    package let category: HarnessPrompt.Category
    /// Whether it passed.
    package let passed: Bool
    /// What was written, or the option that was chosen.
    package let reply: String
    /// Of a multiple choice: nats a token of each option.
    package let likelihoods: [Double]?

    /// Makes a result.
    package init(
        id: String, category: HarnessPrompt.Category, passed: Bool, reply: String,
        likelihoods: [Double]? = nil
    ) {
        self.id = id
        self.category = category
        self.passed = passed
        self.reply = reply
        self.likelihoods = likelihoods
    }
}

/// A run of the harness.
package struct HarnessReport: Sendable, Equatable {
    /// One result a prompt, in order.
    package let results: [HarnessResult]
    /// How long the run took.
    package let seconds: Double

    /// Makes a report.
    package init(results: [HarnessResult], seconds: Double) {
        self.results = results
        self.seconds = seconds
    }

    /// Prompts that passed.
    package var passed: Int { results.count(where: \.passed) }

    /// The counts, as they go to `logs/eval_summary.json`.
    ///
    /// - Parameters:
    ///   - tag: a name for the run.
    ///   - model: the model's name.
    ///   - adapter: the adapter's path; nil for the bare model.
    ///   - codeVersion: the program's.
    /// - Returns: counts of all and by category, with their intervals.
    package func summary(
        tag: String, model: String, adapter: String?, codeVersion: String
    ) -> HarnessSummary {
        let groups = Dictionary(grouping: results, by: \.category.rawValue)
        return HarnessSummary(
            tag: tag, model: model, adapter: adapter,
            score: HarnessScore(passed: passed, total: results.count),
            categories: groups.mapValues {
                HarnessScore(passed: $0.count(where: \.passed), total: $0.count)
            },
            seconds: seconds, codeVersion: codeVersion)
    }

    /// Writes one JSON line a result, in place of what the file held.
    ///
    /// - Throws: `EvaluationError.resultNotWritten`.
    package func writeResults(to url: URL) throws(EvaluationError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var text = ""
        do {
            for result in results {
                text += String(decoding: try encoder.encode(result), as: UTF8.self) + "\n"
            }
        } catch {
            throw .resultNotWritten(path: url.path, reason: "a likelihood is not finite")
        }
        try ResultFile.replace(text, at: url)
    }
}
